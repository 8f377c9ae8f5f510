/** What the embedded cloud can say of itself while it works: calls of AWS, and environments of functions. */
import {
  CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  type DescribeLogStreamsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import { awsConfiguration, type LocalCloud } from '../scripts/local-cloud.ts';

/** How many environments of a function were invoked at `since` (epoch ms) or later: each has a log stream of its own. */
export async function environmentsAtWork(cloud: LocalCloud, name: string, since: number): Promise<number> {
  const logs = new CloudWatchLogsClient(awsConfiguration(cloud));
  let count = 0;
  let nextToken: string | undefined;
  do {
    const page: DescribeLogStreamsCommandOutput = await logs.send(
      new DescribeLogStreamsCommand({ logGroupName: `/slipway/local/functions/${name}`, nextToken }),
    );
    count += (page.logStreams ?? []).filter((one) => (one.lastEventTimestamp ?? 0) >= since).length;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  logs.destroy();
  return count;
}

/** How often each operation of AWS was called since the embedded cloud's start. */
export async function awsCalls({ endpointUrl }: LocalCloud): Promise<Record<string, number>> {
  const answer = await fetch(`${endpointUrl}/_calls`);
  return (await answer.json()) as Record<string, number>;
}
