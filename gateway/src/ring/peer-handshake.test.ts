import { expect, test } from '@jest/globals';
import { parsePeerAuth, parsePeerHello, parsePeerWelcome } from './messages.ts';
import {
  answerPeerAuth,
  answerPeerHello,
  checkWelcome,
  makeHello,
  makeNonce,
  makePeerIdentity,
} from './peer-handshake.ts';
import { makeInstallKey } from './testing.ts';

const key = makeInstallKey();
const a = makePeerIdentity('a.1', key);
const b = makePeerIdentity('b.1', key);
const stranger = makePeerIdentity('b.1', makeInstallKey());
const nonce = makeNonce();
const diallerNonce = makeNonce();
const hello = (over = {}) => ({ ...parsePeerHello(JSON.parse(makeHello(a, nonce))), ...over });
const auth = (over = {}, identity = b) => ({
  ...parsePeerAuth(JSON.parse(answerPeerHello(hello(), 'a', identity, diallerNonce))),
  ...over,
});
const welcome = (text: string) => parsePeerWelcome(JSON.parse(text)).signature;

test('both sides prove that they hold the key', () => {
  const signature = welcome(answerPeerAuth(auth(), nonce, a));
  expect(() => checkWelcome(signature, diallerNonce, 'a.1', b)).not.toThrow();
});

test.each<[reason: string, exchange: () => unknown, code: string]>([
  ['another gateway answered', () => answerPeerHello(hello(), 'c', b, diallerNonce), 'WrongPod'],
  ['it answered itself', () => answerPeerHello(hello({ gatewayId: 'b.1' }), 'b', b, diallerNonce), 'BadSignature'],
  [
    'the listener is too old',
    () => answerPeerHello(hello({ protocol: 1 }), 'a', b, diallerNonce),
    'UnsupportedProtocol',
  ],
  [
    'the listener is too new',
    () => answerPeerHello(hello({ protocol: 9, oldestProtocol: 8 }), 'a', b, diallerNonce),
    'UnsupportedProtocol',
  ], // prettier-ignore
  ['the dialler has another key', () => answerPeerAuth(auth({}, stranger), nonce, a), 'BadSignature'],
  [
    'the dialler says another id than it signed',
    () => answerPeerAuth(auth({ gatewayId: 'c.1' }), nonce, a),
    'BadSignature',
  ],
  ['the signature is of another connection', () => answerPeerAuth(auth(), makeNonce(), a), 'BadSignature'],
  ['the signature is empty', () => answerPeerAuth(auth({ signature: '' }), nonce, a), 'BadSignature'],
  ['the listener’s own words come back', () => answerPeerAuth(auth({ gatewayId: 'a.1' }), nonce, a), 'BadSignature'],
  [
    'the dialler chose a protocol without peers',
    () => answerPeerAuth(auth({ protocol: 1 }), nonce, a),
    'UnsupportedProtocol',
  ],
  [
    'the listener has another key',
    () => checkWelcome(welcome(answerPeerAuth(auth(), nonce, a)), diallerNonce, 'a.1', stranger),
    'BadSignature',
  ], // prettier-ignore
  [
    'the welcome is of another connection',
    () => checkWelcome(welcome(answerPeerAuth(auth(), nonce, a)), makeNonce(), 'a.1', b),
    'BadSignature',
  ], // prettier-ignore
])('refused: %s', (_reason, exchange, code) => {
  expect(exchange).toThrow(expect.objectContaining({ code }));
});
