import { describe, expect, it } from 'vitest';
import { createEvents } from '../../local/events.ts';
import { createLogs } from '../../local/logs.ts';
import { pageOf } from '../../local/paging.ts';
import type { DeclaredResource } from '../../local/platform.ts';
import { call, roleNamed, testCloud } from './test-cloud.ts';

const invalidToken = () => new Error('no such token');
const five = ['a', 'b', 'c', 'd', 'e'];
const page = (list: string, token?: string) => pageOf(five, { list, limit: 2, token, invalidToken });

describe('pages', () => {
  it('follow one another, and the last has no token', () => {
    const seen: string[] = [];
    for (let token: string | undefined; ; ) {
      const { items, nextToken } = page('letters', token);
      seen.push(...items);
      if (nextToken === undefined) break;
      token = nextToken;
    }
    expect(seen).toEqual(five);
    expect(pageOf(five, { list: 'x', limit: 5, token: undefined, invalidToken }).nextToken).toBeUndefined();
  });

  it.each([
    ['a word', 'next'],
    ['a number', Buffer.from('2').toString('base64url')],
    ['no number', Buffer.from('letters\nmany').toString('base64url')],
    ['before the beginning', Buffer.from('letters\n-1').toString('base64url')],
    ['of another list', page('numbers').nextToken],
  ])('are not found by a token that is %s', (_, token) => {
    expect(() => page('letters', token)).toThrow('no such token');
  });
});

const operator = roleNamed('operator');

describe('lists of what templates declare', () => {
  it('log groups, by prefix or by a text in their names', async () => {
    const cloud = testCloud();
    try {
      const logs = createLogs(cloud);
      const ask = (input: object) => call(cloud, logs, 'DescribeLogGroups', input, operator);
      logs.append('/aws/lambda/one', 's', [{ timestamp: 1, message: 'x' }]);
      logs.append('/aws/batch/job', 's', [{ timestamp: 1, message: 'x' }]);
      const names = async (input: object) =>
        (await ask(input)).logGroups.map((one: { logGroupName: string }) => one.logGroupName);
      expect(await names({})).toEqual(['/aws/batch/job', '/aws/lambda/one']);
      expect(await names({ logGroupNamePrefix: '/aws/lambda' })).toEqual(['/aws/lambda/one']);
      expect(await names({ logGroupNamePattern: 'batch' })).toEqual(['/aws/batch/job']);
      const first = await ask({ limit: 1 });
      expect(first.logGroups[0].arn).toBe('arn:aws:logs:us-east-1:000000000000:log-group:/aws/batch/job:*');
      expect(await names({ nextToken: first.nextToken })).toEqual(['/aws/lambda/one']);
      for (const wrong of [
        { nextToken: 'x' },
        { logGroupNamePrefix: '/a', nextToken: first.nextToken },
        { limit: 51 },
        { logGroupNamePrefix: '/a', logGroupNamePattern: 'b' },
      ])
        await expect(ask(wrong)).rejects.toMatchObject({ code: 'InvalidParameterException' });
    } finally {
      cloud.remove();
    }
  });

  it('rules, those that are switched off too, and their targets', async () => {
    const cloud = testCloud();
    try {
      const events = createEvents(cloud);
      const rule = (name: string, properties: object): DeclaredResource => ({
        stack: 'api',
        logicalId: name,
        type: 'AWS::Events::Rule',
        physicalId: name,
        attributes: { Arn: `arn:aws:events:us-east-1:000000000000:rule/${name}` },
        properties,
      });
      const Targets = [{ Id: 'one', Arn: 'arn:aws:lambda:us-east-1:000000000000:function:one' }];
      await events.deploy?.([
        rule('on', { EventPattern: { source: ['aws.batch'] }, Targets }),
        rule('off', { ScheduleExpression: 'rate(1 minute)', State: 'DISABLED' }),
      ]);
      const ask = (operation: string, input: object) => call(cloud, events, operation, input, operator);
      expect((await ask('ListRules', {})).Rules).toMatchObject([
        { Name: 'off', State: 'DISABLED', ScheduleExpression: 'rate(1 minute)' },
        { Name: 'on', State: 'ENABLED', EventPattern: '{"source":["aws.batch"]}' },
      ]);
      expect((await ask('ListRules', { NamePrefix: 'on' })).Rules).toHaveLength(1);
      expect((await ask('ListTargetsByRule', { Rule: 'on' })).Targets).toEqual(Targets);
      for (const wrong of [{ Rule: 'none' }, { Rule: 'on', EventBusName: 'other' }])
        await expect(ask('ListTargetsByRule', wrong)).rejects.toMatchObject({
          code: 'ResourceNotFoundException',
        });
    } finally {
      cloud.remove();
    }
  });
});
