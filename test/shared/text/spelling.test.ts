import { expect, test } from 'vitest';
import { closestName } from '../../../shared/text/spelling.ts';
import { unknownNames } from '../../../shared/text/wording.ts';

const fields = [
  'name',
  'image',
  'build',
  'command',
  'entrypoint',
  'env',
  'tags',
  'compute',
  'timeoutSeconds',
];

test.each([
  ['cmd', 'command'],
  ['comand', 'command'],
  ['Command', 'command'],
  ['commands', 'command'],
  ['img', 'image'],
  ['tag', 'tags'],
  ['tgas', 'tags'],
  ['environment', 'env'],
  ['timeout', 'timeoutSeconds'],
  ['timeout_seconds', 'timeoutSeconds'],
  ['entryPoint', 'entrypoint'],
  ['gpu', undefined],
  ['x', undefined],
  ['', undefined],
  ['instanceType', undefined],
  ['training', undefined],
  ['nam'.repeat(10_000), undefined],
])('%.20s means %s', (name, meant) => {
  expect(closestName(name, fields)).toBe(meant);
});

test('each unknown name has a line; the names that there are stand in one of them', () => {
  expect(unknownNames(['cmd', 'gpu', 'queue'], ['image', 'command'], 'field').split('\n')).toEqual([
    'There is no field `cmd`. Did you mean `command`?',
    'There is no field `gpu`. The fields are `image`, `command`.',
    'There is no field `queue`.',
  ]);
  expect(unknownNames(['a\nb'], ['wait'], 'parameter')).toBe(
    'There is no parameter `a b`. The only parameter is `wait`.',
  );
});
