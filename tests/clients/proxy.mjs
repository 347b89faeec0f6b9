// Stands between the conformance suite, which cannot present a token, and a server:
//   KEYWRIGHT_PROXY_TOKEN=VALUE node proxy.mjs http://127.0.0.1:PORT
// Adds the token, and changes nothing else, `Host` and `Origin` least of all. Prints
// the port at which it listens.

import { createServer, request } from 'node:http';
import { pipeline } from 'node:stream';

const { hostname, port } = new URL(process.argv[2]);
const authorization = `Bearer ${process.env.KEYWRIGHT_PROXY_TOKEN}`;

const proxy = createServer((asked, answer) => {
  const { method, url, rawHeaders } = asked;
  const headers = [...rawHeaders, 'Authorization', authorization];
  const passed = request({ hostname, port, method, path: url, headers, setHost: false }, (told) => {
    answer.writeHead(told.statusCode, told.rawHeaders);
    pipeline(told, answer, () => {});
  });
  answer.on('close', () => passed.destroy());
  pipeline(asked, passed, () => {});
});
proxy.listen(0, '127.0.0.1', () => console.log(proxy.address().port));
