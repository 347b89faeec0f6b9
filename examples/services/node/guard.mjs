// A service that lets in whoever holds a token with the scope `read:page`:
//
//     node guard.mjs TOKEN_FILE 127.0.0.1:8484 127.0.0.1:8000
//
// TOKEN_FILE holds a token of the service's own, which carries `introspect:tokens`; it is read every
// time, so that it can be rotated. Nothing to install.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const [tokenFile, keywright, listen] = process.argv.slice(2);

// What Keywright knows of `bearer`. Whatever it throws means that nobody can tell.
async function introspect(bearer) {
  const own = (await readFile(tokenFile, 'utf8')).trim();
  const answer = await fetch(`http://${keywright}/v1/introspect`, {
    method: 'POST',
    headers: { authorization: `Bearer ${own}` },
    body: new URLSearchParams({ token: bearer }),
    redirect: 'error',
    signal: AbortSignal.timeout(2000),
  });
  // 401 is about our own token, not about the one that was shown.
  if (answer.status !== 200) throw new Error(`Keywright answered ${answer.status}`);
  const known = await answer.json();
  if (typeof known.active !== 'boolean') throw new Error('Keywright answered something else');
  return known;
}

// `handler`, for those whose token carries `scope`. Every request is asked about: nothing is cached,
// so that a revocation holds at once.
function guard(handler, scope) {
  return async (request, response) => {
    const refuse = (status, headers) => response.writeHead(status, headers).end();
    const bearer = /^bearer +(.*)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer === undefined) return refuse(401, { 'WWW-Authenticate': 'Bearer' });
    let known;
    try {
      known = await introspect(bearer.trim());
    } catch (error) {
      console.error(`Keywright cannot be asked: ${error}`);
      return refuse(503, { 'Retry-After': '1' });
    }
    if (!known.active) return refuse(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' });
    if (!known.scope.split(' ').includes(scope)) {
      return refuse(403, { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scope}"` });
    }
    return handler(request, response, known);
  };
}

const page = (request, response, known) => response.end(`hello ${known.sub}\n`);

const [host, port] = listen.split(':');
createServer(guard(page, 'read:page')).listen(Number(port), host);
