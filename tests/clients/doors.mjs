// The two doors that a client can come in by: a process of its own, or HTTP. doors.py
// tells the same for Python.
//
// What a door gives is what a client connects to: { command, args, env } or { url,
// token }.

import { spawn, spawnSync } from 'node:child_process';

const USUAL = 'read:tokens write:tokens delete:tokens read:envs';
// A token gives away only what it carries itself.
const GIVES = 'notes:read';

// A door to the server on `store`: over standard input and output, or with `http` over
// HTTP, by a server that runs until the process ends.
export async function door(binary, store, http) {
  const shell = (...args) =>
    spawnSync(binary, [...args, '--store', store], { encoding: 'utf8', input: '', timeout: 20_000 });
  if (!http) {
    const args = (...more) => ['mcp', ...more, '--store', store];
    return {
      isHttp: false,
      // Whoever holds these scopes.
      local: (scopes) => ({ command: binary, args: args('--local', ...(scopes ? ['--scopes', scopes] : [])) }),
      // Whoever presents this value.
      holding: (value) => ({ command: binary, args: args(), env: { KEYWRIGHT_TOKEN: value } }),
    };
  }
  const url = await serve(binary, store);
  const mint = (scopes) => {
    const args = ['token', 'create', 'agent', '--to', 'stdout', '--scopes', scopes];
    return shell(...args).stdout.trim();
  };
  return {
    isHttp: true,
    local: (scopes = USUAL) => ({ url, token: mint(`${scopes} ${GIVES}`) }),
    holding: (value) => ({ url, token: value }),
  };
}

// Starts a server of its own: the URL of its MCP.
async function serve(binary, store) {
  const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--store', store], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.on('exit', () => child.kill());
  let said = '';
  return new Promise((resolve, reject) => {
    child.on('exit', () => reject(new Error(`the server ended: ${said}`)));
    child.stderr.on('data', (chunk) => {
      said += chunk;
      const at = /serving (http:\S+)/.exec(said)?.[1];
      if (at) resolve(`${at}/mcp`);
    });
  });
}

// What a transport of the TypeScript SDK over HTTP is made with.
export function overHttp({ token }) {
  return { requestInit: { headers: { Authorization: `Bearer ${token}` } }, fetch: tapped };
}

// Everything that came over HTTP, answer by answer.
export const received = new Map();

async function tapped(url, init) {
  const response = await fetch(url, init);
  if (!response.body) return response;
  const [given, read] = response.body.tee();
  const chunks = [];
  received.set(response, chunks);
  (async () => {
    for await (const chunk of read) chunks.push(Buffer.from(chunk));
  })().catch(() => {}); // A stream that the client closes breaks off.
  return new Response(given, response);
}
