import { type KeyObject, sign } from 'node:crypto';
import { OLDEST_PROTOCOL, PROTOCOL } from './generated/frames.ts';
import { LinkError } from './link-error.ts';
import type { Hello } from './messages.ts';

/** Who this gateway is, in every AUTH. */
export interface Identity {
  /** Name of this gateway process; one of its own per replica. */
  readonly gatewayId: string;
  /** Owner epoch, whole, >= 0, rises with each life of the gateway: agents refuse lower ones. */
  readonly epoch: number;
  /** Ed25519 private key whose public half the agents were started with. */
  readonly signingKey: KeyObject;
}

/**
 * Answers an agent's HELLO: JSON text of the AUTH body.
 * A pod IP is not an identity, so the uid that the agent says must be the one that is meant. Fails closed.
 * @throws LinkError WrongPod, UnsupportedProtocol
 */
export function answerHello(hello: Hello, podUid: string, identity: Identity): string {
  if (hello.podUid !== podUid) throw new LinkError('WrongPod', `dialled pod ${podUid}, pod ${hello.podUid} answered`);
  const protocol = chooseProtocol(hello);
  const { gatewayId, epoch, signingKey } = identity;
  const text = `kappa-link\n${hello.nonce}\n${podUid}\n${gatewayId}\n${epoch}`;
  const signature = sign(null, Buffer.from(text, 'utf8'), signingKey).toString('base64');
  return JSON.stringify({ protocol, podUid, gatewayId, epoch, signature });
}

/** The newest version that both sides speak. */
function chooseProtocol(hello: Hello): number {
  const protocol = Math.min(PROTOCOL, hello.protocol);
  if (protocol >= Math.max(OLDEST_PROTOCOL, hello.oldestProtocol)) return protocol;
  const range = `${hello.oldestProtocol}..${hello.protocol}`;
  throw new LinkError('UnsupportedProtocol', `agent speaks ${range}, gateway ${OLDEST_PROTOCOL}..${PROTOCOL}`);
}
