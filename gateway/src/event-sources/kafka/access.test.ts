import { expect, test } from '@jest/globals';

import type { MappingView } from '../mapping/mapping-view.ts';
import { openDeps } from '../testing-open.ts';
import { accessOf } from './access.ts';

type Ways = NonNullable<MappingView['source']['sourceAccessConfigurations']>;

const secrets = {
  user: { username: 'u', password: 'p' },
  plain: { username: 'u', password: 'p', 'security.protocol': 'SASL_PLAINTEXT' },
  trusting: { username: 'u', password: 'p', 'ca.crt': 'CA' },
  ca: { 'ca.crt': 'CA' },
  lambdaCa: { certificate: 'CA' },
  own: { 'tls.crt': 'CERT', 'tls.key': 'KEY' },
  lambdaOwn: { certificate: 'CERT', privateKey: 'KEY', privateKeyPassword: 'PASS' },
  half: { 'tls.crt': 'CERT', 'tls.key': '' },
};
const sasl = { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'p' };

test.each<[reason: string, ways: Ways, access: object]>([
  ['nothing is named', [], {}],
  ['networks have no meaning', [{ type: 'VPC_SUBNET', uri: 'subnet:s' }, { type: 'VPC_SECURITY_GROUP' }], {}],
  ['a password goes over TLS', [{ type: 'SASL_SCRAM_512_AUTH', uri: 'user' }], { sasl, tls: {} }],
  ['unless the Secret says otherwise', [{ type: 'SASL_SCRAM_512_AUTH', uri: 'plain' }], { sasl }],
  ['shorter SCRAM', [{ type: 'SASL_SCRAM_256_AUTH', uri: 'plain' }], { sasl: { ...sasl, mechanism: 'SCRAM-SHA-256' } }],
  ['PLAIN', [{ type: 'BASIC_AUTH', uri: 'plain' }], { sasl: { ...sasl, mechanism: 'PLAIN' } }],
  [
    'whom to trust stands beside the password',
    [{ type: 'SASL_SCRAM_512_AUTH', uri: 'trusting' }],
    { sasl, tls: { ca: 'CA' } },
  ],
  ['whom to trust', [{ type: 'SERVER_ROOT_CA_CERTIFICATE', uri: 'ca' }], { tls: { ca: 'CA' } }],
  [
    'whom to trust, as Lambda names it',
    [{ type: 'SERVER_ROOT_CA_CERTIFICATE', uri: 'lambdaCa' }],
    { tls: { ca: 'CA' } },
  ],
  [
    'a certificate of its own, with whom to trust, in either order',
    [
      { type: 'CLIENT_CERTIFICATE_TLS_AUTH', uri: 'own' },
      { type: 'SERVER_ROOT_CA_CERTIFICATE', uri: 'ca' },
    ],
    { tls: { ca: 'CA', cert: 'CERT', key: 'KEY' } },
  ],
  [
    'a certificate as Lambda names it',
    [{ type: 'CLIENT_CERTIFICATE_TLS_AUTH', uri: 'lambdaOwn' }],
    { tls: { cert: 'CERT', key: 'KEY', passphrase: 'PASS' } },
  ],
])('accessOf: %s', async (_reason, sourceAccessConfigurations, access) => {
  expect(await accessOf({ source: { sourceAccessConfigurations } }, openDeps('', secrets))).toEqual(access);
});

test.each<[reason: string, ways: Ways, problem: object]>([
  ['no such Secret', [{ type: 'BASIC_AUTH', uri: 'none' }], { reason: 'CredentialsMissing' }],
  [
    'a member is empty',
    [{ type: 'CLIENT_CERTIFICATE_TLS_AUTH', uri: 'half' }],
    { reason: 'CredentialsMissing', message: 'the Secret of half has no member tls.key or privateKey' },
  ],
  ['no way into Kafka', [{ type: 'VIRTUAL_HOST', uri: 'user' }], { reason: 'InvalidSource' }],
])('accessOf refuses: %s', async (_reason, sourceAccessConfigurations, problem) => {
  await expect(accessOf({ source: { sourceAccessConfigurations } }, openDeps('', secrets))).rejects.toMatchObject(
    problem,
  );
});
