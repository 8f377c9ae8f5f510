/** CloudWatch Logs: groups, streams and events in SQLite, read page by page with AWS's tokens. */

import { callLimiter } from './call-limiter.ts';

import { describeLogGroups } from './logs/groups.ts';
import { describeLogStreams, filterLogEvents, getLogEvents } from './logs/reading.ts';
import { asEvents, type LogLine, openLogStore } from './logs/store.ts';
import { createLogStream, putLogEvents } from './logs/writing.ts';
import type { Cloud, Service } from './platform.ts';
import { generatedName } from './template/names.ts';

export interface LogsOptions {
  /** Calls a second, account-wide; above, `ThrottlingException`. AWS's defaults in us-east-1 are 25 and 10. */
  getLogEventsPerSecond: number;
  filterLogEventsPerSecond: number;
  /**
   * Answers every first read of a stream, from either end, with an empty page and a token, as AWS now and then does.
   * `SLIPWAY_LOGS_EMPTY_PAGES=1` unless given.
   */
  emptyFirstPage: boolean;
}

const defaults = (): LogsOptions => ({
  getLogEventsPerSecond: 25,
  filterLogEventsPerSecond: 10,
  emptyFirstPage: process.env.SLIPWAY_LOGS_EMPTY_PAGES === '1',
});

export interface Logs extends Service {
  /**
   * Appends lines (times in epoch milliseconds); makes group and stream where missing. As from AWS's own
   * services, empty lines are left out and those above 256 KiB become several events.
   */
  append(group: string, stream: string, lines: LogLine[]): void;
}

/** CloudWatch Logs on `cloud.db`. */
export function createLogs(cloud: Cloud, options: Partial<LogsOptions> = {}): Logs {
  const settings = { ...defaults(), ...options };
  const store = openLogStore(cloud);
  const groupArn = (group: string): string =>
    `arn:aws:logs:${cloud.region}:${cloud.accountId}:log-group:${group}`;
  const access = { store, groupArn, now: () => cloud.now().getTime() };
  const limitRead = callLimiter(settings.getLogEventsPerSecond, () => cloud.steady().ms);
  const limitFilter = callLimiter(settings.filterLogEventsPerSecond, () => cloud.steady().ms);
  let stopExpiry = (): void => undefined;

  return {
    signingName: 'logs',
    resourceTypes: {
      'AWS::Logs::LogGroup': {
        physicalId: (declared) => declared.properties?.LogGroupName ?? generatedName(declared, 512),
        attributes: ({ physicalId }) => ({ Arn: `${groupArn(physicalId)}:*` }),
      },
    },
    async deploy(resources) {
      for (const one of resources) store.declareGroup(one.physicalId, one.properties?.RetentionInDays);
    },
    async start() {
      store.expire();
      stopExpiry = cloud.every(3_600_000, 'log retention', () => store.expire());
    },
    async stop() {
      stopExpiry();
    },
    append(group, stream, lines) {
      const events = lines.flatMap(asEvents);
      if (events.length > 0) store.append(store.ensureStream(group, stream), events);
    },
    operations: {
      CreateLogStream: (call) => createLogStream(access, call),
      PutLogEvents: (call) => putLogEvents(access, call),
      DescribeLogGroups: (call) => describeLogGroups(access, call),
      DescribeLogStreams: (call) => describeLogStreams(access, call),
      GetLogEvents(call) {
        limitRead();
        return getLogEvents(access, call, settings.emptyFirstPage);
      },
      FilterLogEvents(call) {
        limitFilter();
        return filterLogEvents(access, call);
      },
    },
  };
}
