import { type KeyObject, sign } from 'node:crypto';
import { OLDEST_PROTOCOL, PROTOCOL } from './generated/frames.ts';
import { LinkError } from './link-error.ts';
import type { Hello } from './messages.ts';

/** Who this gateway is, in every AUTH. */
export interface Identity {
  /** This gateway process: one of its own per replica and per life. */
  readonly gatewayId: string;
  /** Whole, >= 0: the wall clock at the start, milliseconds. Agents refuse a lower one of the same gatewayId. */
  readonly epoch: number;
  /** Ed25519 private key whose public half the agents were started with. */
  readonly signingKey: KeyObject;
  /** What it wants that other gateways of its protocol do not know: `logs`. Absent = nothing. */
  readonly features?: readonly string[];
}

/** What a gateway says to a HELLO. */
export interface HelloAnswer {
  /** The version that both speak from now on. */
  readonly protocol: number;
  /** JSON text of the AUTH body. */
  readonly auth: string;
}

/**
 * Answers an agent's HELLO.
 * A pod IP is not an identity, so the uid that the agent says must be the one that is meant. Fails closed.
 * @throws LinkError WrongPod, UnsupportedProtocol
 */
export function answerHello(hello: Hello, podUid: string, identity: Identity): HelloAnswer {
  if (hello.podUid !== podUid) throw new LinkError('WrongPod', `dialled pod ${podUid}, pod ${hello.podUid} answered`);
  const protocol = chooseProtocol(hello);
  const { gatewayId, epoch, signingKey, features } = identity;
  const text = `kappa-link\n${hello.nonce}\n${podUid}\n${gatewayId}\n${epoch}`;
  const signature = sign(null, Buffer.from(text, 'utf8'), signingKey).toString('base64');
  return { protocol, auth: JSON.stringify({ protocol, podUid, gatewayId, epoch, signature, features }) };
}

/** The newest version that both sides speak. */
function chooseProtocol(hello: Hello): number {
  const protocol = Math.min(PROTOCOL, hello.protocol);
  if (protocol >= Math.max(OLDEST_PROTOCOL, hello.oldestProtocol)) return protocol;
  const range = `${hello.oldestProtocol}..${hello.protocol}`;
  throw new LinkError('UnsupportedProtocol', `agent speaks ${range}, gateway ${OLDEST_PROTOCOL}..${PROTOCOL}`);
}
