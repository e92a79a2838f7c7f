import { createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { OLDEST_PROTOCOL, PROTOCOL } from '../link/generated/frames.ts';
import { LinkError } from '../link/link.ts';
import type { PeerAuth, PeerHello } from './messages.ts';
import { nameOf } from './rendezvous.ts';

/*
 * Both ends prove that they hold the install's key, each by signing a nonce of the other, both ids and so who asked whom:
 *
 *   listener                      dialler
 *   PEER_HELLO  nonce L   ───►    checks the name against the member that it dialled
 *               ◄───   PEER_AUTH  nonce D, signature over (L, listener's id, dialler's id)
 *   checks it
 *   PEER_WELCOME  ───►            signature over (D, dialler's id, listener's id); checks it
 *
 * Fails closed: nothing but these three frames is read before. One's own id is refused, so that no signature can be reflected.
 */

/** The first protocol with frames for peers. */
const FIRST_PEER_PROTOCOL = 2;

/** Who this gateway is among gateways. */
export interface PeerIdentity {
  /** `<name>.<8 hex>`, new in each life. */
  readonly gatewayId: string;
  /** Ed25519 private key of the install. */
  readonly signingKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Completes an identity; `signingKey` must be Ed25519. */
export function makePeerIdentity(gatewayId: string, signingKey: KeyObject): PeerIdentity {
  return { gatewayId, signingKey, publicKey: createPublicKey(signingKey) };
}

/** A fresh nonce, base64. */
export function makeNonce(): string {
  return randomBytes(32).toString('base64');
}

/** JSON text of PEER_HELLO. */
export function makeHello({ gatewayId }: PeerIdentity, nonce: string): string {
  return JSON.stringify({ protocol: PROTOCOL, oldestProtocol: OLDEST_PROTOCOL, gatewayId, nonce });
}

/**
 * JSON text of PEER_AUTH.
 * @param name the member that was dialled: an address is no identity
 * @throws LinkError WrongPod, UnsupportedProtocol, BadSignature
 */
export function answerPeerHello(hello: PeerHello, name: string, identity: PeerIdentity, nonce: string): string {
  if (nameOf(hello.gatewayId) !== name) {
    throw new LinkError('WrongPod', `dialled gateway ${name}, gateway ${hello.gatewayId} answered`);
  }
  refuseSelf(hello.gatewayId, identity);
  const protocol = Math.min(PROTOCOL, hello.protocol);
  if (protocol < Math.max(OLDEST_PROTOCOL, hello.oldestProtocol, FIRST_PEER_PROTOCOL)) {
    throw new LinkError('UnsupportedProtocol', `gateway speaks ${hello.oldestProtocol}..${hello.protocol}`);
  }
  const { gatewayId } = identity;
  return JSON.stringify({ protocol, gatewayId, nonce, signature: signText(hello.nonce, hello.gatewayId, identity) });
}

/**
 * Checks PEER_AUTH. Returns the JSON text of PEER_WELCOME.
 * @throws LinkError UnsupportedProtocol, BadSignature
 */
export function answerPeerAuth(auth: PeerAuth, nonce: string, identity: PeerIdentity): string {
  if (auth.protocol < FIRST_PEER_PROTOCOL || auth.protocol > PROTOCOL) {
    throw new LinkError('UnsupportedProtocol', `gateway chose protocol ${auth.protocol}`);
  }
  refuseSelf(auth.gatewayId, identity);
  checkText(nonce, identity.gatewayId, auth.gatewayId, auth.signature, identity);
  return JSON.stringify({ signature: signText(auth.nonce, auth.gatewayId, identity) });
}

/** Checks PEER_WELCOME. @throws LinkError BadSignature */
export function checkWelcome(signature: string, nonce: string, listenerId: string, identity: PeerIdentity): void {
  checkText(nonce, identity.gatewayId, listenerId, signature, identity);
}

function refuseSelf(gatewayId: string, identity: PeerIdentity): void {
  if (gatewayId === identity.gatewayId) throw new LinkError('BadSignature', 'a peer says that it is this gateway');
}

function signText(nonce: string, verifierId: string, { gatewayId, signingKey }: PeerIdentity): string {
  return sign(null, textOf(nonce, verifierId, gatewayId), signingKey).toString('base64');
}

function checkText(
  nonce: string,
  verifierId: string,
  signerId: string,
  signature: string,
  { publicKey }: PeerIdentity,
): void {
  const isGood = verify(null, textOf(nonce, verifierId, signerId), publicKey, Buffer.from(signature, 'base64'));
  if (!isGood) throw new LinkError('BadSignature', `gateway ${signerId} did not sign with the install's key`);
}

function textOf(nonce: string, verifierId: string, signerId: string): Buffer {
  return Buffer.from(`kappa-peer\n${nonce}\n${verifierId}\n${signerId}`, 'utf8');
}
