// Asking the person, as every Node client plays it: an agent deletes a token that
// it did not make, and somebody says yes, no, or nothing that counts. confirm.py
// tells the same for Python.
//
// A client brings `connect(server, person)`, where `person` answers the params of
// an elicitation, and is missing where the client cannot ask.

import { spawnSync } from 'node:child_process';

export async function confirming(check, { binary, store, door, connect }) {
  const server = door.local();
  const make = (label) => {
    const args = ['token', 'create', label, '--to', 'stdout', '--json', '--store', store];
    return JSON.parse(spawnSync(binary, args, { encoding: 'utf8', input: '', timeout: 20_000 }).stdout);
  };
  const digits = ({ message }) => /begins with kw_pat_(\w{4})/.exec(message)?.[1];
  const typed = (text) => ({ action: 'accept', content: { confirmation: text } });

  const people = [
    ['types the digits', (params) => typed(digits(params)), ''],
    ['types something else', () => typed('0000'), 'forbidden: what was typed is not what confirms it.'],
    ['accepts an empty form', () => ({ action: 'accept', content: {} }), 'forbidden: '],
    ['declines', () => ({ action: 'decline' }), 'forbidden: the person said no.'],
    ['closes the question', () => ({ action: 'cancel' }), 'forbidden: the person did not answer.'],
  ];
  for (const [does, says, refusal] of people) {
    const token = make(`asked of a person who ${does}`);
    const asked = [];
    const session = await connect(server, (params) => {
      asked.push(params);
      return says(params);
    });
    const answer = await session.callTool('delete_token', { id: token.id }).catch((error) => error);
    const { state } = (await session.callTool('get_token', { id: token.id })).structuredContent;
    await session.close();

    const text = answer.content?.[0]?.text ?? `${answer}`;
    const right = refusal ? answer.isError && text.startsWith(refusal) : answer.isError !== true;
    check(`a person who ${does} is asked once`, asked.length === 1, asked);
    check(`whoever ${does} has ${refusal ? 'nothing' : 'the token'} deleted`, right, text);
    check(`the token is ${refusal ? 'still good' : 'revoked'}`, state === (refusal ? 'active' : 'revoked'), state);
    check('no value is in the question', !JSON.stringify(asked).includes(token.token.slice(11)));
  }

  const token = make('nobody can be asked');
  const session = await connect(server);
  const { isError } = await session.callTool('delete_token', { id: token.id });
  await session.close();
  check('a client that cannot ask goes ahead', isError !== true);
}
