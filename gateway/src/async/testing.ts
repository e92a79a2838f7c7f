import type { AsyncEvent } from '../queue/event.ts';
import { type AsyncSettings, defaultSettings } from './settings.ts';

/** An event of `default/hello`, accepted at 0. */
export function asyncEvent(over: Partial<AsyncEvent> = {}): AsyncEvent {
  return {
    id: '11111111-2222-4333-8444-555555555555',
    line: 'default/hello',
    invokedArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    accountId: '000000000000',
    payload: Buffer.from('{"a":1}'),
    acceptedMs: 0,
    ...over,
  };
}

/** Lambda's defaults, but for what is said. */
export function asyncSettings(over: Partial<AsyncSettings> = {}): AsyncSettings {
  return { ...defaultSettings, ...over };
}
