import { expect, test } from 'vitest';
import { readDeclared } from '../../../local/batch/declared.ts';

const policy = (...identifiers: string[]) =>
  readDeclared([
    {
      stack: 'compute',
      logicalId: 'Fair',
      type: 'AWS::Batch::SchedulingPolicy',
      physicalId: 'arn:aws:batch:us-east-1:000000000000:scheduling-policy/fair',
      attributes: {},
      properties: {
        FairsharePolicy: {
          ShareDistribution: identifiers.map((ShareIdentifier) => ({ ShareIdentifier, WeightFactor: 2 })),
        },
      },
    },
  ]);

test('share identifiers of a policy are names or beginnings of names, none of which is another one too', () => {
  expect(() => policy('UserA*', 'UserB', 'UserB1')).not.toThrow();
  for (const overlapping of [
    ['UserA*', 'UserA1'],
    ['UserA1', 'UserA*'],
    ['UserA', 'UserA'],
    ['*', 'UserA'],
  ])
    expect(() => policy(...overlapping)).toThrow('overlap');
  for (const wrong of ['user-a', '', 'a*b', 'x'.repeat(256)])
    expect(() => policy(wrong)).toThrow('compute/Fair');
});
