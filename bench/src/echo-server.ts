/** The floor of every HTTP figure: a bare node:http server that answers a request with its own body. Usage: node echo-server.ts PORT */
import { createServer } from 'node:http';

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
