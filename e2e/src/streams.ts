import { type IncomingMessage, request } from 'node:http';

import {
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCompleteEvent,
  type LambdaClient,
} from '@aws-sdk/client-lambda';

/** One event of InvokeWithResponseStream: the text of a chunk, or how it ended. */
export type StreamEvent = string | InvokeWithResponseStreamCompleteEvent;

/** Calls a function by the SDK; each event is there as soon as it has come. */
export async function* invokeStream(
  client: LambdaClient,
  name: string,
  payload: object = {},
): AsyncGenerator<StreamEvent, void> {
  const command = new InvokeWithResponseStreamCommand({
    FunctionName: name,
    LogType: 'Tail',
    Payload: Buffer.from(JSON.stringify(payload)),
  });
  const { EventStream = [] } = await client.send(command);
  for await (const { PayloadChunk, InvokeComplete } of EventStream)
    yield PayloadChunk === undefined ? (InvokeComplete ?? {}) : Buffer.from(PayloadChunk.Payload ?? []).toString();
}

/** An HTTP answer that nobody reads by itself. */
export function openUrl(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false }, resolve).on('error', reject).end();
  });
}

/** What is left of an answer, and whether it came to its end. */
export async function restOf(
  answer: IncomingMessage,
): Promise<{ readonly text: string; readonly isComplete: boolean }> {
  let text = '';
  try {
    for await (const piece of answer) text += piece;
  } catch {
    return { text, isComplete: false };
  }
  return { text, isComplete: answer.complete };
}
