import { expect, test } from '@jest/globals';
import { imagePoolName } from './image-pool.ts';
import { labelValue } from './labels.ts';

const image = { namespace: 'default', reference: 'registry.example/cart@sha256:ab', memoryMiB: 128 };

test('the name is that of the namespace, the image and the memory', () => {
  const others = [
    { ...image, namespace: 'other' },
    { ...image, reference: 'registry.example/cart@sha256:ac' },
    { ...image, memoryMiB: 256 },
  ];
  expect(new Set([image, ...others].map(imagePoolName)).size).toBe(4);
  expect(imagePoolName({ ...image })).toBe(imagePoolName(image));
});

test('it is a name, a label, and room for the number of a pod is left', () => {
  const name = imagePoolName(image);
  expect(name).toMatch(/^image-[0-9a-f]{24}$/);
  expect(labelValue(name)).toBe(name);
});
