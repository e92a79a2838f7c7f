/** What Lambda's Invoke answered. */
export interface Invoked {
  readonly status: number;
  /** The body, parsed when it is JSON, else the text. */
  readonly payload: unknown;
  readonly functionError: string | null;
  readonly requestId: string;
  /** The last 4 KiB of the log, when asked for. */
  readonly log: string;
  /** Whether the log says that the pod was initialised for this call. */
  readonly isCold: boolean;
  readonly headers: Headers;
}

/** What an invocation may be told. */
export interface InvokeOptions {
  readonly payload?: unknown;
  /** Sent as it is instead of `payload`. */
  readonly rawPayload?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly qualifier?: string;
}

/** Lambda's `Invoke`, RequestResponse with log tail, over plain HTTP. */
export async function invoke(endpoint: string, name: string, options: InvokeOptions = {}): Promise<Invoked> {
  const query = options.qualifier === undefined ? '' : `?Qualifier=${encodeURIComponent(options.qualifier)}`;
  const answer = await fetch(`${endpoint}/2015-03-31/functions/${encodeURIComponent(name)}/invocations${query}`, {
    method: 'POST',
    headers: { 'x-amz-log-type': 'Tail', 'content-type': 'application/json', ...options.headers },
    body: options.rawPayload ?? JSON.stringify(options.payload ?? {}),
  });
  const text = await answer.text();
  const log = Buffer.from(answer.headers.get('x-amz-log-result') ?? '', 'base64').toString();
  return {
    status: answer.status,
    payload: parseOrText(text),
    functionError: answer.headers.get('x-amz-function-error'),
    requestId: answer.headers.get('x-amzn-requestid') ?? '',
    log,
    isCold: log.includes('Init Duration'),
    headers: answer.headers,
  };
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
