// Resources, prompts and completion, as every Node client plays them, and news of a
// token that another process ends. watch.py tells the same for Python.
//
// A session of a client brings `client`, whose methods the two lines of the SDK name
// alike, and `watch(uri, heard)`, which resolves when news of a resource will be
// told, in the way of its protocol revision.

import { spawnSync } from 'node:child_process';

const TEMPLATE = 'keywright://tokens/{id}';
const RECENT = 'keywright://audit/recent';

export async function watching(check, { binary, store, door, connect }) {
  const shell = (...args) =>
    spawnSync(binary, [...args, '--store', store], { encoding: 'utf8', input: '', timeout: 20_000 });
  const label = 'watched by a client';
  const token = JSON.parse(shell('token', 'create', label, '--to', 'stdout', '--json').stdout);
  const uri = TEMPLATE.replace('{id}', token.id);

  const scopes = 'read:tokens write:tokens read:audit';
  const { client, callTool, watch, close } = await connect(door.local(scopes));

  const { resources } = await client.listResources();
  const uris = resources.map((resource) => resource.uri);
  check('the list has the token and the recent records', uris.includes(uri) && uris.includes(RECENT), uris);
  check('no name in it is a label', !JSON.stringify(resources).includes(label), resources);
  const { resourceTemplates } = await client.listResourceTemplates();
  check('there is one template', resourceTemplates.map((t) => t.uriTemplate).join() === TEMPLATE, resourceTemplates);

  const read = JSON.parse((await client.readResource({ uri })).contents[0].text);
  const told = (await callTool('get_token', { id: token.id })).structuredContent;
  check('a token reads as its tool answers', JSON.stringify(read) === JSON.stringify(told), read);
  const recent = JSON.parse((await client.readResource({ uri: RECENT })).contents[0].text);
  check('the recent records tell of it', recent.records.some((r) => r.target === `token:${token.id}`), recent);
  const gone = TEMPLATE.replace('{id}', '0190a5a0-0000-7000-8000-000000000000');
  const refused = await client.readResource({ uri: gone }).catch((error) => error);
  check('what is not there is refused in our words', /not_found: .* You can: /.test(refused.message), refused);

  const { prompts } = await client.listPrompts();
  const names = prompts.map((prompt) => prompt.name).join();
  check('there are two prompts', names === 'review_tokens,connect_service', names);
  const filled = await client.getPrompt({
    name: 'connect_service',
    arguments: { service: 'nightly backup', expires: '30d' },
  });
  check('a prompt is filled in', filled.messages[0].content.text.includes('"service": "nightly backup"'), filled);

  const { completion } = await client.complete({
    ref: { type: 'ref/resource', uri: TEMPLATE },
    argument: { name: 'id', value: 'WATCHED' },
  });
  check('an id is found by a label', completion.values.join() === token.id && completion.total === 1, completion);

  let hear;
  const news = new Promise((resolve) => {
    hear = resolve;
  });
  await watch(uri, hear);
  const ended = shell('token', 'revoke', token.id);
  const late = new Promise((resolve) => setTimeout(resolve, 10_000, 'nothing').unref());
  const heard = await Promise.race([news, late]);
  check('the end of the token, by another process, is heard of', ended.status === 0 && heard === uri, heard);

  const start = performance.now();
  await close();
  const took = performance.now() - start;
  check('closing a session that waits for news takes less than a second', took < 1000, `${took} ms`);
}
