import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** Stands between a client and an S3 server. */
export interface Way {
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/** What becomes of a request: it goes on, or is refused as stores do that are too busy, or that no longer believe its signature. */
export type Verdict = 'pass' | 'SlowDown' | 'RequestTimeTooSkewed';

/** One request on its way. */
export interface Passing {
  readonly method: string;
  /** Bucket and key, as sent. */
  readonly path: string;
  /** Whether it copies an object. */
  readonly isCopy: boolean;
}

/**
 * Opens a way to the S3 server on which each request waits for its verdict.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export async function openWay(endpoint: string, judge: (passing: Passing) => Promise<Verdict>): Promise<Way> {
  const { port } = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const passing = { method, path: url.split('?')[0] ?? '', isCopy: 'x-amz-copy-source' in headers };
    void judge(passing).then((verdict) => {
      if (verdict === 'pass') forward(port, incoming, outgoing);
      else refuse(verdict, outgoing);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { endpoint: `http://127.0.0.1:${address.port}`, close };
}

/** The header `host` stays: it is signed. */
function forward(port: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('error', () => onward.destroy());
  incoming.pipe(onward);
}

function refuse(code: Exclude<Verdict, 'pass'>, outgoing: ServerResponse): void {
  outgoing.writeHead(code === 'SlowDown' ? 503 : 403, { 'content-type': 'application/xml' });
  outgoing.end(`<Error><Code>${code}</Code><Message>not now</Message></Error>`);
}
