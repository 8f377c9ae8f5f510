import { expect, test } from 'vitest';
import { createLog } from '../../../shared/observability/log.ts';

function logged(use: (log: ReturnType<typeof createLog>) => void) {
  const lines: string[] = [];
  use(
    createLog(
      (line) => void lines.push(line),
      () => new Date('2026-11-21T09:00:00Z'),
    ),
  );
  return lines;
}

test('a line is one JSON object with level, time and fields', () => {
  const [line = ''] = logged((log) =>
    log.info('answered', { status: 200, text: 'two\nlines', none: undefined }),
  );
  expect(line.endsWith('}\n')).toBe(true);
  expect(line.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(line)).toEqual({
    level: 'INFO',
    message: 'answered',
    time: '2026-11-21T09:00:00.000Z',
    status: 200,
    text: 'two\nlines',
  });
});

test('errors are told with their stack and what caused them', () => {
  const error = new TypeError('outer', { cause: new Error('inner', { cause: 'the disk' }) });
  const [line = ''] = logged((log) => log.error('unexpected error', { error, size: 10n }));
  expect(JSON.parse(line)).toMatchObject({
    level: 'ERROR',
    size: '10',
    error: {
      name: 'TypeError',
      message: 'outer',
      stack: expect.stringContaining('log.test.ts'),
      cause: { name: 'Error', message: 'inner', cause: 'the disk' },
    },
  });
});
