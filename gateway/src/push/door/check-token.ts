import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { LambdaError, ServiceException } from '../../errors.ts';
import type { KnownSources } from '../../registry/known-sources.ts';
import type { PushMapping } from '../push-mapping.ts';

/**
 * Lets pass who knows the token of the mapping. Fails closed.
 *
 * @param sources a new token counts within ten seconds; while the API server is away the old one does
 * @throws LambdaError 401 when it is wrong, 503 when nobody can say
 */
export async function checkToken(
  req: Pick<IncomingMessage, 'headers' | 'url'>,
  { namespace, name, tokenSecretRef: ref }: PushMapping,
  sources: Pick<KnownSources, 'get'>,
): Promise<void> {
  if (ref === null) return;
  const values = await sources.get({ kind: 'Secret', namespace, name: ref.name }, ref.key).catch((cause: unknown) => {
    throw new ServiceException('The token of this event source mapping cannot be read now. Send the event again.', {
      retryAfterSeconds: 1,
      cause,
    });
  });
  const token = values !== null && Object.hasOwn(values, ref.key) ? values[ref.key]?.trim() : undefined;
  if (token === undefined || token === '')
    throw new LambdaError(
      'ServiceException',
      `The Secret ${ref.name} of ${namespace}/${name} has no ${ref.key}: nobody can send events until it has.`,
      { status: 503, fault: 'function', retryAfterSeconds: 5 },
    );
  const given = tokenIn(req);
  if (given === null || !isSame(given, token))
    throw new LambdaError(
      'UnauthorizedException',
      'The token is missing or wrong: send it as Authorization: Bearer TOKEN, as a password (Basic), or as ?token=TOKEN.',
      { status: 401, fault: 'caller' },
    );
}

function tokenIn({ headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>): string | null {
  const [, scheme = '', value = ''] = /^(\S+)\s+(\S+)\s*$/.exec(headers.authorization ?? '') ?? [];
  if (/^bearer$/i.test(scheme)) return value;
  if (/^basic$/i.test(scheme)) {
    const text = Buffer.from(value, 'base64').toString();
    return text.slice(text.indexOf(':') + 1);
  }
  const mark = url.indexOf('?');
  return mark < 0 ? null : new URLSearchParams(url.slice(mark + 1)).get('token');
}

/** In a time that tells nothing of where they differ, nor how long the right one is. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
