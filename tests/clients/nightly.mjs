// "Give my nightly job a token", as a person and their agent live it, with every
// byte that the agent's client receives searched for what it must not hold:
//   node nightly.mjs BINARY STORE
// The client starts the server exactly as the file says that `connect` wrote.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { hasPart, tap, tell } from './story.mjs';

const [binary, store] = process.argv.slice(2);
const folder = join(store, '..', '..');

async function connect(server) {
  const client = new Client({ name: 'keywright-clients', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const transport = new StdioClientTransport({ ...server, stderr: 'pipe' });
  transport.stderr.resume();
  await client.connect(transport);
  return {
    call: async (name, args = {}) => {
      const { structuredContent, content } = await client.callTool({ name, arguments: args });
      return structuredContent ?? { refusal: content[0].text };
    },
    close: () => client.close(),
  };
}

// What a person types. `KW` stands for the program.
function shell(line) {
  const env = { ...process.env, KW: binary, KEYWRIGHT_STORE: store };
  return spawnSync('sh', ['-c', line], { cwd: folder, env, encoding: 'utf8', timeout: 20_000 });
}

async function nightly(check) {
  const received = tap();
  mkdirSync(join(process.env.HOME, '.cursor'), { recursive: true });
  const connected = shell('"$KW" connect cursor --grant notes:read');
  check('the person connects the client in one command', connected.status === 0, connected);
  const file = join(process.env.HOME, '.cursor', 'mcp.json');
  const { command, args, env } = JSON.parse(readFileSync(file, 'utf8')).mcpServers.keywright;
  const tokenFile = env.KEYWRIGHT_TOKEN_FILE;
  const values = [readFileSync(tokenFile, 'utf8').trim()];
  check("the client's file holds no token", !hasPart(readFileSync(file, 'latin1'), values[0]));

  const agent = await connect({ command, args, env });
  const made = await agent.call('create_token', { label: 'nightly export', scopes: ['notes:read'], expires: '12h' });
  check('the agent asks for a token, and gets a claim', made.claim?.command && !('token' in made), made);
  const wider = await agent.call('create_token', { label: 'wider', scopes: ['notes:write'] });
  check('it cannot ask for more than it was given', wider.refusal?.startsWith('scope_escalation: '), wider);

  writeFileSync(join(folder, 'job.env'), '# settings of the job\nVERBOSE=1\n', { mode: 0o600 });
  const claimed = shell(`${made.claim.command} --to dotenv:job.env#NOTES_TOKEN`);
  const settings = readFileSync(join(folder, 'job.env'), 'utf8');
  const value = /^# settings of the job\nVERBOSE=1\nNOTES_TOKEN=(kw_pat_\w{49})\n$/.exec(settings)?.[1];
  check('the person runs its command, and the value goes into the settings of the job', value, claimed);
  check('and stands in nothing that the command said', !hasPart(claimed.stdout + claimed.stderr, value));
  values.push(value);

  const job = await connect({ command: binary, args: ['mcp', '--store', store], env: { KEYWRIGHT_TOKEN: value } });
  const me = await job.call('whoami');
  check('the job is known by it, with its one scope', me.current_token?.id === made.id && me.scopes.join() === 'notes:read', me);

  // The agent's own token is renewed while it works.
  const own = (await agent.call('whoami')).current_token.id;
  const rotated = await agent.call('rotate_token', { id: own });
  const renewed = shell(rotated.claim.command);
  values.push(readFileSync(tokenFile, 'utf8').trim());
  check("the agent's own new value goes into the file that it reads", renewed.status === 0 && values[2] !== values[0], renewed);
  const after = await agent.call('whoami');
  check('the agent goes on with it', after.current_value?.generation === 2 && after.current_value.is_newest, after);

  const run = shell('"$KW" run --token "one run"=JOB_TOKEN --scopes notes:read -- sh -c \'printf %s "$JOB_TOKEN" > run.value\'');
  values.push(readFileSync(join(folder, 'run.value'), 'latin1'));
  check('a command is run with a token of its own', run.status === 0 && /^kw_pat_\w{49}$/.test(values[3]), run);
  const { tokens } = await agent.call('list_tokens', { state: 'revoked' });
  check('which is refused when the command has ended', tokens?.some(({ label }) => label === 'one run'), tokens);

  const gone = await agent.call('delete_token', { id: made.id });
  check('the agent ends what it made', gone.revoked_count === 1, gone);
  const refused = await job.call('whoami');
  check('and the job is refused at once', refused.refusal?.startsWith('unauthenticated: '), refused);
  await job.close();

  const undone = shell('"$KW" disconnect cursor');
  check('the person disconnects the client', undone.status === 0, undone);
  const over = await agent.call('whoami');
  check('and its agent is refused at once', over.refusal?.startsWith('unauthenticated: '), over);
  await agent.close();

  const bytes = [...received.values()].map((chunks) => Buffer.concat(chunks).toString('latin1')).join('\n');
  check('all that the clients received was read along', bytes.includes(made.claim.code));
  const found = values.map((value) => hasPart(bytes, value));
  check('no part of the four values was in it', values.length === 4 && !found.includes(true), found);
}

await tell('nightly job', nightly);
