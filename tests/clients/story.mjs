// The story that every Node client plays against a real `keywright mcp` or
// `keywright serve`, and the checks it makes on the way. story.py tells the same
// one for Python.
//
// A client brings `connect(server)`, where `server` is what a door gives (see
// doors.mjs). It resolves to { version, listTools(), callTool(name, args), close() }.

import { spawnSync } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { isDeepStrictEqual } from 'node:util';
import { received as overHttp } from './doors.mjs';

const TOOLS = [
  'create_token',
  'delete_token',
  'get_token',
  'list_app_envs',
  'list_audit_records',
  'list_tokens',
  'reveal_app_env_token',
  'reveal_user_token',
  'rotate_token',
  'update_token',
  'whoami',
];
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'];
const WITH_SECRETS = 'read:tokens write:tokens delete:tokens read:envs read:secrets';

// Runs `play` for the client `name`, printing a line for each check, and ends the
// process: with 0 only if the end was reached and every check was good.
export async function tell(name, play) {
  process.exitCode = 1; // In case that the event loop runs dry before the end.
  let failed = 0;
  const check = (sentence, good, seen) => {
    console.log(`${good ? 'ok' : 'not ok'} - ${name}: ${sentence}`);
    if (!good) failed += 1;
    if (!good && seen !== undefined) console.log(`    seen: ${redacted(seen)}`);
  };

  try {
    await play(check);
  } catch (error) {
    check('the story is played to its end', false, error.stack);
  }
  // A session that a failure left open would keep the process alive.
  process.exit(failed === 0 ? 0 : 1);
}

// The story itself. `version` is the protocol revision that must be agreed on.
export async function story(check, { binary, store, door, version, connect }) {
  const received = door.isHttp ? overHttp : tap();
  const shell = (...args) =>
    spawnSync(binary, args, { encoding: 'utf8', input: '', timeout: 20_000 });
  const closed = async (who, session) => {
    const start = performance.now();
    await session.close();
    const took = performance.now() - start;
    check(`closing the ${who} session takes less than a second`, took < 1000, `${took} ms`);
  };

  const agent = watched(await connect(door.local()));
  check(`speaks ${version}`, agent.version === version, agent.version);

  const tools = await agent.listTools();
  check('lists exactly the eleven tools', hasExactly(tools, TOOLS), names(tools));
  check('every tool is fully described', incomplete(tools).length === 0, incomplete(tools));

  const me = await agent.call('whoami');
  check(
    'whoami answers for the local user, who holds no read:secrets',
    me.user && me.account && (me.current_token !== null) === door.isHttp && !me.scopes?.includes('read:secrets'),
    me,
  );

  // A token is made, and a person picks its value up at the shell.
  const label = `story of ${version}`;
  const made = await agent.call('create_token', { label, scopes: ['notes:read'] });
  check(
    'create_token answers with an unclaimed token and no value',
    made.id && made.state === 'unclaimed' && made.scopes?.join() === 'notes:read' && !('token' in made),
    made,
  );
  check('the claim has a code, a command and ten minutes', isClaim(made.claim), made);

  const claim = shell('claim', made.claim?.code, '--store', store, '--to', 'stdout');
  const value = claim.stdout.trimEnd();
  check('the person claims a well-formed value', /^kw_pat_[0-9A-Za-z]{49}$/.test(value), claim);

  const { tokens } = await agent.call('list_tokens');
  const listed = tokens?.find((token) => token.id === made.id);
  check(
    'list_tokens shows it active and without a value',
    listed?.state === 'active' && listed.label === label && !('token' in listed),
    tokens,
  );

  const rotated = await agent.call('rotate_token', { id: made.id, deliver: 'claim' });
  check(
    'rotate_token keeps the id and answers with a claim',
    rotated.id === made.id && isClaim(rotated.claim) && !('token' in rotated),
    rotated,
  );

  // What needs `read:secrets` is refused without it, and says who can mend it.
  const inline = await agent.call('create_token', { label: 'inline', deliver: 'inline' });
  check('an inline value is refused without read:secrets', isRefusedFor('read:secrets', inline), inline);

  const set = shell('cli-token', 'set', '--store', store);
  check('the person sets a CLI token', set.status === 0, set);

  const hidden = await agent.call('reveal_user_token');
  check('a reveal is refused without read:secrets', isRefusedFor('read:secrets', hidden), hidden);

  const trusted = watched(await connect(door.local(WITH_SECRETS)));
  const shown = await trusted.call('create_token', { label: 'inline', deliver: 'inline' });
  check(
    'with read:secrets an inline value is in the answer',
    /^kw_pat_[0-9A-Za-z]{49}$/.test(shown.token) && shown.state === 'active' && !('claim' in shown),
    shown,
  );

  const revealed = await trusted.call('reveal_user_token');
  check(
    'with read:secrets the CLI token is revealed',
    /^kw_cli_[0-9A-Za-z]{49}$/.test(revealed.token) && revealed.username && revealed.generated_at,
    revealed,
  );
  await closed('trusted', trusted);

  // A process that lives on the claimed value loses its rights, not its life.
  const holder = watched(await connect(door.holding(value)));
  const before = await holder.call('whoami');
  check('the holder of the value is known by it', before.current_token?.id === made.id, before);

  const gone = await agent.call('delete_token', { id: made.id });
  check(
    'delete_token revokes exactly this one',
    gone.id === made.id && Date.parse(gone.revoked_at) > 0 && gone.revoked_count === 1,
    gone,
  );

  const again = await agent.call('delete_token', { id: made.id });
  check('deleting it again succeeds', again.id === made.id, again);

  const after = await holder.call('whoami');
  check('the holder is refused at once', after.refusal?.startsWith('unauthenticated: '), after);

  if (door.isHttp) {
    const refused = await holder.listTools().catch((error) => refusal(error));
    check('the holder gets no list of tools any more', refused?.startsWith('unauthenticated: '), refused);
  } else {
    const still = await holder.listTools();
    check('the holder still gets the list of tools', hasExactly(still, TOOLS), names(still));
  }
  await closed("holder's", holder);

  // Mistakes are answered in the form that lets a model mend them.
  const unknown = await agent.call('no_such_tool').catch((error) => error);
  check('an unknown tool is the protocol error -32602', unknown.code === -32602, unknown);

  const count = async () => (await agent.call('list_tokens', { limit: 200 })).tokens?.length;
  const kept = await count();
  for (const [mistake, args] of [
    ['an unknown argument', { label: 'mistake', labels: 'mistake' }],
    ['a missing argument', { scopes: ['notes:read'] }],
    ['a mistyped argument', { label: 7 }],
  ]) {
    const answer = await agent.call('create_token', args);
    check(`${mistake} is refused`, answer.refusal?.startsWith('invalid_argument: '), answer);
  }
  check('no mistake made a token', kept > 0 && kept === (await count()), kept);
  await closed('first', agent);

  const sessions = [agent, trusted, holder];
  const odd = sessions.flatMap((session) => session.odd);
  check('answers are the same as text, and refusals are nothing but text', odd.length === 0, odd);

  const streams = [...received.values()].map((chunks) => Buffer.concat(chunks).toString('latin1'));
  const bytes = streams.join('\n');
  check('all that the clients received was read along', bytes.includes('reveal_user_token'));
  check('no part of the claimed value was in it', value && !hasPart(bytes, value));
}

// Collects every byte that MCP servers write to this process, stream by stream,
// whatever the client makes of it. Other children, as `claim`, are left alone.
export function tap() {
  const received = new Map();
  subscribe('child_process', ({ process: child }) =>
    child.once('spawn', () => {
      if (!child.spawnargs.includes('mcp')) return;
      for (const stream of [child.stdout, child.stderr].filter(Boolean)) {
        received.set(stream, []);
        stream.on('data', (chunk) => received.get(stream).push(chunk));
      }
    }),
  );
  return received;
}

// Whether any twelve digits of the value, past its visible prefix, are there.
export function hasPart(bytes, value) {
  const secret = value.slice('kw_pat_0000'.length);
  return [...secret.slice(11)].some((_, start) => bytes.includes(secret.slice(start, start + 12)));
}

// Adds `call`, which answers with the structured content, or with { refusal }
// if the tool refused. What breaks the common form of answers goes to `odd`.
function watched(session) {
  const odd = [];
  const call = async (name, args = {}) => {
    const result = await session.callTool(name, args).catch((error) => {
      const refused = refusal(error);
      if (refused) return { isError: true, content: [{ type: 'text', text: refused }] };
      throw error;
    });
    const text = result.content.map((block) => block.text).join('\n');
    if (result.isError) {
      if ('structuredContent' in result) odd.push(`${name}: structured content in a refusal`);
      return { refusal: text };
    }
    if (!isDeepStrictEqual(parsed(text), result.structuredContent)) odd.push(`${name}: ${text}`);
    return result.structuredContent ?? {};
  };
  return { ...session, call, odd };
}

// What a server says in the answer to HTTP itself, where a client makes an error of it. The second
// line of the SDK reads the challenge of a missing scope, and keeps our words to itself.
function refusal(error) {
  const required = /^Insufficient scope: required "(.*)"$/.exec(error.message)?.[1];
  if (required) return `insufficient_scope: ${required}`;
  return /(unauthenticated|insufficient_scope): [^"]*/.exec(error.message)?.[0];
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const names = (tools) => tools.map((tool) => tool.name).sort();

const hasExactly = (tools, expected) => isDeepStrictEqual(names(tools), expected);

function incomplete(tools) {
  const described = (tool) =>
    tool.title &&
    tool.description &&
    tool.inputSchema?.additionalProperties === false &&
    tool.outputSchema?.type === 'object' &&
    HINTS.every((hint) => typeof tool.annotations?.[hint] === 'boolean');
  return names(tools.filter((tool) => !described(tool)));
}

function isClaim(claim) {
  const minutes = (Date.parse(claim?.expires_at) - Date.now()) / 60_000;
  return Boolean(claim?.code) && claim.command?.includes(claim.code) && minutes > 8 && minutes <= 10.1;
}

function isRefusedFor(scope, { refusal }) {
  if (!refusal?.startsWith('insufficient_scope: ') || !refusal.includes(scope)) return false;
  const said = refusal.slice('insufficient_scope: '.length);
  const isChallenge = said.split(' ').every((word) => /^\w+:\w+$/.test(word));
  return isChallenge || refusal.includes('Only the person can: ');
}

// What is shown of a failed check, without the values of tokens.
function redacted(seen) {
  const text = typeof seen === 'string' ? seen : seen instanceof Error ? seen.stack : JSON.stringify(seen);
  return `${text}`.replaceAll(/(kw_[a-z]+_\w{4})\w+/g, '$1…').slice(0, 2000);
}
