import { expect, test } from '@jest/globals';

import { Neighbours } from './neighbours.ts';

const options = {
  region: 'us-east-1',
  ownEndpoints: { AWS_ENDPOINT_URL: 'http://own' },
  endpointsOf: () => ({ AWS_ENDPOINT_URL: 'http://own' }),
  credentials: null,
};

test('a client is made once; one that could not be made is made at the next use', async () => {
  let made = 0;
  const clients = new Neighbours(options, 'AWS_ENDPOINT_URL_SQS', async () => {
    made += 1;
    if (made === 1) throw new Error('it was not loaded');
    return made;
  });
  const get = () => clients.of('default', 'arn:aws:sqs:us-east-1:000000000000:q');
  await expect(get()).rejects.toThrow('it was not loaded');
  expect(await Promise.all([get(), get()])).toEqual([2, 2]);
});
