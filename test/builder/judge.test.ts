/** I10: the points of the contract, from what was seen. */
import { describe, expect, test } from 'vitest';
import { type Answer, type Attempt, judge, type Observed } from '../../builder/validation/judge.ts';

const answer: Answer = { path: '/notebook/acme/check/', status: 200, allowOrigin: '*', afterSeconds: 0.4 };
const running: Attempt = { seconds: 0.5, lastLine: '', answer };
const ended: Attempt = { seconds: 0.2, lastLine: 'no such file', exitCode: 1 };
const good: Observed = { emptyHome: running, user: { uid: '1000', name: 'jovyan', home: '/home/jovyan' } };

const failed = (observed: Observed) =>
  judge(observed).points.flatMap(({ code, passed }) => (passed ? [] : [code]));

describe('I10 judging a notebook image', () => {
  test('all is well', () => {
    expect(judge(good)).toMatchObject({ passed: true });
    expect(judge(good).points).toHaveLength(6);
  });

  const cases: [string, Observed, string[]][] = [
    [
      'an error below the prefix',
      { ...good, emptyHome: { ...running, answer: { ...answer, status: 404 } } },
      ['http-prefix'],
    ],
    [
      'a redirect to elsewhere',
      { ...good, emptyHome: { ...running, answer: { ...answer, status: 302, leaves: '/lab' } } },
      ['http-prefix'],
    ],
    [
      'another origin',
      { ...good, emptyHome: { ...running, answer: { ...answer, allowOrigin: 'https://example.com' } } },
      ['cors'],
    ],
    [
      'no header',
      { ...good, emptyHome: { ...running, answer: { ...answer, allowOrigin: undefined } } },
      ['cors'],
    ],
    ['nothing on the port', { ...good, emptyHome: { seconds: 60, lastLine: '' } }, ['http-prefix', 'cors']],
    ['only with its own home', { ...good, emptyHome: ended, ownHome: running }, ['empty-home']],
    [
      'with no home at all',
      { ...good, emptyHome: ended, ownHome: ended },
      ['empty-home', 'http-prefix', 'cors'],
    ],
    ['another name', { ...good, user: { uid: '1000', name: 'root', home: '/home/jovyan' } }, ['user-name']],
    ['another id', { ...good, user: { uid: '0', name: 'jovyan', home: '/home/jovyan' } }, ['user-id']],
    ['another home', { ...good, user: { uid: '1000', name: 'jovyan', home: '/root' } }, ['user-home']],
    ['nobody to ask', { ...good, user: 'no shell' }, ['user-name', 'user-id', 'user-home']],
  ];
  test.each(cases)('%s', (_name, observed, codes) => {
    expect(failed(observed)).toEqual(codes);
    for (const { evidence } of judge(observed).points) expect(evidence.length).toBeGreaterThan(5);
  });
});
