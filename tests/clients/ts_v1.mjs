// The TypeScript SDK of the first line, as most hosts still have it:
//   node ts_v1.mjs BINARY STORE
// It throws on a refusal with structured content, so a whole story is a proof.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { confirming } from './confirm.mjs';
import { story, tell } from './story.mjs';
import { watching } from './watch.mjs';

const [binary, store] = process.argv.slice(2);

async function connect(server, person) {
  const transport = new StdioClientTransport({ ...server, stderr: 'pipe' });
  transport.stderr.resume();
  let version;
  transport.setProtocolVersion = (agreed) => {
    version = agreed;
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
    close: () => client.close(),
    client,
    watch,
  };
}

await tell('ts v1', async (check) => {
  await story(check, { binary, store, version: '2025-11-25', connect });
  await confirming(check, { binary, store, connect });
  await watching(check, { binary, store, connect });
});
