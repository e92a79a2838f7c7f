import { expect, test } from '@jest/globals';

import { Endpoints, endpointAnnotations, parseEndpoints } from './endpoints.ts';

const install = { AWS_ENDPOINT_URL: 'http://moto:5000', AWS_ENDPOINT_URL_LAMBDA: 'http://gateway' };

function rig() {
  const problems: string[] = [];
  return { endpoints: new Endpoints(install, (problem) => problems.push(problem)), problems };
}

test('a namespace changes, adds and takes away variables, each for itself', () => {
  const { endpoints, problems } = rig();
  endpoints.set(
    'team',
    endpointAnnotations({
      'kappa.dev/aws-endpoint-url': 'http://other:1',
      'kappa.dev/aws-endpoint-url-cloudwatch-logs': 'https://logs/path',
      'kappa.dev/aws-endpoint-url-lambda': '',
      'other/annotation': 'x',
    }),
  );
  expect(endpoints.of('team')).toEqual({
    AWS_ENDPOINT_URL: 'http://other:1',
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: 'https://logs/path',
  });
  expect(endpoints.of('default')).toEqual(install);
  endpoints.set('team', {});
  expect(endpoints.of('team')).toEqual(install);
  endpoints.set('team', null);
  expect(problems).toEqual([]);
});

test.each([
  ['kappa.dev/aws-endpoint-url-s3', 'minio:9000'],
  ['kappa.dev/aws-endpoint-url-s3', 'http://'],
  ['kappa.dev/aws-endpoint-url-S3', 'http://minio'],
  ['kappa.dev/aws-endpoint-urls3', 'http://minio'],
])('%s: %s is not used, and told', (name, url) => {
  const { endpoints, problems } = rig();
  endpoints.set('team', { [name]: url });
  expect(endpoints.of('team')).toEqual(install);
  expect(problems).toEqual([`annotation ${name} of namespace team is no endpoint`]);
});

test.each<[text: string, want: object | null]>([
  ['{}', {}],
  ['{"AWS_ENDPOINT_URL_S3":"http://minio:9000"}', { AWS_ENDPOINT_URL_S3: 'http://minio:9000' }],
  ['{"AWS_ENDPOINT_URL_LAMBDA":""}', { AWS_ENDPOINT_URL_LAMBDA: '' }],
  ['{"PATH":"http://x"}', null],
  ['{"AWS_ENDPOINT_URL_s3":"http://x"}', null],
  ['{"AWS_ENDPOINT_URL":"x"}', null],
  ['{"AWS_ENDPOINT_URL":1}', null],
  ['[]', null],
  ['null', null],
  ['x', null],
])('the setting %s', (text, want) => {
  expect(parseEndpoints(text)).toEqual(want);
});
