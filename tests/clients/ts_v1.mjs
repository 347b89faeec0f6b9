// The TypeScript SDK of the first line, as most hosts still have it:
//   node ts_v1.mjs BINARY STORE [http]
// It throws on a refusal with structured content, so a whole story is a proof.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { confirming } from './confirm.mjs';
import { door, overHttp } from './doors.mjs';
import { story, tell } from './story.mjs';
import { watching } from './watch.mjs';

const [binary, store, http] = process.argv.slice(2);

async function connect(server, person) {
  const transport = server.url
    ? new StreamableHTTPClientTransport(new URL(server.url), overHttp(server))
    : new StdioClientTransport({ ...server, stderr: 'pipe' });
  transport.stderr?.resume();
  let version;
  const agree = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (agreed) => {
    version = agreed;
    agree?.(agreed);
  };
  const client = new Client(
    { name: 'keywright-clients', version: '1' },
    { capabilities: person ? { elicitation: {} } : {} },
  );
  if (person) client.setRequestHandler(ElicitRequestSchema, ({ params }) => person(params));
  await client.connect(transport);
  const watch = (uri, heard) => {
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => heard(params.uri));
    return client.subscribeResource({ uri });
  };
  return {
    version,
    listTools: async () => (await client.listTools()).tools,
    callTool: (name, args) => client.callTool({ name, arguments: args }),
    close: async () => {
      // Whose token has ended has no session any more.
      await transport.terminateSession?.().catch(() => {});
      await client.close();
    },
    client,
    watch,
  };
}

await tell(`ts v1${http ? ' http' : ''}`, async (check) => {
  const stage = { binary, store, door: await door(binary, store, http), version: '2025-11-25', connect };
  await story(check, stage);
  await confirming(check, stage);
  await watching(check, stage);
});
