// The TypeScript client of the second line, which speaks both eras:
//   node ts_v2.mjs BINARY STORE legacy|auto|2026-07-28 [http]
// In the mode `auto` it starts the server twice: once to ask, once to work.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { confirming } from './confirm.mjs';
import { door, overHttp } from './doors.mjs';
import { story, tell } from './story.mjs';
import { watching } from './watch.mjs';

const [binary, store, mode, http] = process.argv.slice(2);
const version = mode === 'legacy' ? '2025-11-25' : '2026-07-28';
const negotiation = mode === 'legacy' || mode === 'auto' ? mode : { pin: mode };

async function connect(server, person) {
  const transport = server.url
    ? new StreamableHTTPClientTransport(new URL(server.url), overHttp(server))
    : new StdioClientTransport({ ...server, stderr: 'pipe' });
  transport.stderr?.resume();
  const client = new Client(
    { name: 'keywright-clients', version: '1' },
    {
      versionNegotiation: { mode: negotiation },
      capabilities: person ? { elicitation: { form: {} } } : {},
    },
  );
  if (person) client.setRequestHandler('elicitation/create', ({ params }) => person(params));
  await client.connect(transport);
  const watch = (uri, heard) => {
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => heard(params.uri));
    return mode === 'legacy'
      ? client.subscribeResource({ uri })
      : client.listen({ resourceSubscriptions: [uri] });
  };
  return {
    version: client.getNegotiatedProtocolVersion(),
    listTools: async () => (await client.listTools(undefined, { cacheMode: 'bypass' })).tools,
    callTool: (name, args) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
    client,
    watch,
  };
}

await tell(`ts v2 ${mode}${http ? ' http' : ''}`, async (check) => {
  const stage = { binary, store, door: await door(binary, store, http), version, connect };
  await story(check, stage);
  await confirming(check, stage);
  await watching(check, stage);
});
