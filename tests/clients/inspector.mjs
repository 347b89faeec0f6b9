// The MCP Inspector at the command line, with its strict look at the schemas:
//   node inspector.mjs BINARY STORE legacy|modern [http]
// Needs Node 22.19 or newer. It ends with 5 for a refusal (and for a tool that it
// does not find), with 6 for a bad schema.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { door } from './doors.mjs';
import { tell } from './story.mjs';

const [binary, store, era, http] = process.argv.slice(2);
const server = (await door(binary, store, http)).local();
const launcher = join(
  dirname(fileURLToPath(import.meta.url)),
  'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
);

function inspect(...options) {
  const place = server.url
    ? [server.url, '--transport', 'http', '--header', `Authorization: Bearer ${server.token}`]
    : ['--', server.command, ...server.args];
  const run = spawnSync(
    process.execPath,
    server.url
      ? [launcher, '--cli', ...place, '--protocol-era', era, '--format', 'json', ...options]
      : [launcher, '--cli', '--protocol-era', era, '--format', 'json', ...options, ...place],
    { encoding: 'utf8', input: '', timeout: 30_000 },
  );
  const { status, stdout, stderr } = run;
  return { status, stderr, result: stdout ? JSON.parse(stdout).result : undefined };
}

function call(name, args) {
  return inspect('--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args));
}

await tell(`inspector ${era}${http ? ' http' : ''}`, async (check) => {
  const list = inspect('--method', 'tools/list', '--strict');
  check('tools/list passes --strict', list.status === 0 && list.result.tools.length === 11, list);
  const warned = list.stderr.split('\n').filter((line) => line.includes('Path: inputSchema'));
  check('no argument has a type that only some clients know', warned.length === 0, warned);

  const me = call('whoami', {});
  check('whoami answers', me.result?.structuredContent?.account, me);

  const made = call('create_token', { label: `inspector ${era}`, scopes: ['notes:read'] });
  check('create_token answers with a claim', made.result?.structuredContent?.claim?.code, made);

  const inline = call('create_token', { label: 'inline', deliver: 'inline' });
  const refusal = inline.result?.content[0].text;
  check(
    'an inline value is refused without read:secrets',
    http && era === 'modern'
      ? inline.stderr.includes('Insufficient scope: required \\"write:tokens read:secrets')
      : inline.status === 5 && refusal?.startsWith('insufficient_scope: '),
    inline,
  );
});
