// The MCP bundle, as a desktop client meets it: packed, unpacked, configured and started with the
// code that its publisher gives out for that.
//   node bundle.mjs BINARY STORE

import { getMcpConfigForManifest } from '@anthropic-ai/mcpb';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tell } from './story.mjs';

const [binary, store] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const folder = join(dirname(dirname(store)), 'bundle');
const home = join(folder, 'home');
mkdirSync(home, { recursive: true });
// Packing what only a debugger reads takes longer than all the rest.
const stripped = join(folder, 'keywright');
const program = run('strip', '-o', stripped, binary).status === 0 ? stripped : binary;

function run(command, ...args) {
  return spawnSync(command, args, { encoding: 'utf8', input: '', timeout: 60_000 });
}

// The publisher's own tool.
function mcpb(...args) {
  return run(process.execPath, join(here, 'node_modules/@anthropic-ai/mcpb/dist/cli/cli.js'), ...args);
}

function build(name) {
  const bundle = join(folder, name);
  return { bundle, ...run(join(here, '../../packaging/mcpb/build'), program, bundle) };
}

const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

// What the server says when it is started as the manifest says, for a person who set `userConfig`.
async function started(manifest, extensionPath, userConfig) {
  const systemDirs = { HOME: home };
  const config = await getMcpConfigForManifest({
    manifest, extensionPath, systemDirs, userConfig, pathSeparator: '/',
  });
  const { command, args, env } = config;
  const transport = new StdioClientTransport({
    command, args, env: { ...env, HOME: home }, stderr: 'pipe',
  });
  let said = '';
  transport.stderr.on('data', (piece) => (said += piece));
  const client = new Client({ name: 'keywright-bundle', version: '1' });
  try {
    await client.connect(transport);
    const { tools } = await client.listTools();
    const me = await client.callTool({ name: 'whoami', arguments: {} });
    return { tools, me: me.structuredContent, command };
  } catch (error) {
    throw new Error(`${JSON.stringify(config)}: ${error.message}: ${said}`);
  } finally {
    await client.close();
  }
}

await tell('bundle', async (check) => {
  const built = build('keywright.mcpb');
  check('one command builds it', built.status === 0, built);
  check('the same binary gives the same bytes', sha256(build('again.mcpb').bundle) === sha256(built.bundle));

  const unpacked = join(folder, 'unpacked');
  const unpack = mcpb('unpack', built.bundle, unpacked);
  check('it unpacks', unpack.status === 0, unpack);
  const valid = mcpb('validate', unpacked);
  check('its manifest is valid', valid.status === 0, valid);
  const repacked = mcpb('pack', unpacked, join(folder, 'repacked.mcpb'));
  check("the publisher's tool packs what is in it", repacked.status === 0, repacked);

  const manifest = JSON.parse(readFileSync(join(unpacked, 'manifest.json')));
  accessSync(join(unpacked, manifest.server.entry_point), constants.X_OK);

  const usual = join(home, '.local/share/keywright/store.db');
  const untouched = await started(manifest, unpacked, {});
  check(
    'the program that starts is the one in the bundle',
    untouched.command === join(unpacked, manifest.server.entry_point),
    untouched.command,
  );
  const names = (tools) => tools.map((tool) => tool.name).join();
  check('the manifest names the tools that are there', names(untouched.tools) === names(manifest.tools), manifest.tools);
  check(
    'untouched settings mean the usual store and scopes, without read:secrets',
    existsSync(usual) && untouched.me.scopes.join(' ') === 'delete:tokens read:envs read:tokens write:tokens',
    untouched.me,
  );

  const named = await started(manifest, unpacked, { store, scopes: 'read:tokens' });
  check('a store and scopes that were set are the ones that are used',
    existsSync(store) && named.me.scopes.join() === 'read:tokens', named.me);

  const cleared = await started(manifest, unpacked, { store: '', scopes: '' });
  check(
    'cleared settings break nothing: the usual store, and no scopes',
    cleared.tools.length === untouched.tools.length && cleared.me.scopes.length === 0,
    cleared.me,
  );
});
