import { once } from 'node:events';
import { createServer, request as requestHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { describe, expect, it } from 'vitest';
import { isOver } from '../../../shared/experiment/record.ts';
import { type Opened, placeForEach } from './opened.ts';

const open = placeForEach();

describe('E1 a registry', () => {
  /** Answers `failures` requests like this and passes the others on to the deployment's own. */
  const flaky = async (
    { place, tiny }: Opened,
    failures: number,
    status = 503,
    said: Record<string, string> = {},
  ) => {
    let left = failures;
    const { authorizationData } = await new ECRClient(place.cloud.client()).send(
      new GetAuthorizationTokenCommand({}),
    );
    const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`;
    const server = createServer((request, response) => {
      if (left-- > 0) return response.writeHead(status, said).end();
      const { method, url = '' } = request;
      const headers = { ...request.headers, authorization };
      const onward = requestHttp(new URL(url, `http://${place.cloud.registryHost}`), { method, headers });
      onward.once('response', (answer) =>
        answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
      );
      onward.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      image: tiny.replace(place.cloud.registryHost, host),
      close: () => server.close().closeAllConnections(),
    };
  };

  it('that hiccups is asked again', async () => {
    const { place, tiny } = await open();
    const { image, close } = await flaky({ place, tiny }, 1);
    const { id } = await place.create({ image, command: ['true'] });
    const { attempts, statusReason } = await place.until(id, (one) => isOver(one) || one.attempts.length > 0);
    expect([statusReason, attempts]).toEqual([undefined, [expect.objectContaining({ number: 1 })]]);
    await place.stop(id);
    await place.over(id);
    close();
  });

  it('R9 that takes no more requests for now ends the experiment, with the time to wait, and is not asked again', async () => {
    const { place, tiny } = await open();
    // Asked a second time, it would answer.
    const { image, close } = await flaky({ place, tiny }, 1, 429, { 'retry-after': '600' });
    const { id } = await place.create({ image, command: ['true'] });
    expect(await place.over(id)).toMatchObject({
      status: 'failed',
      attempts: [],
      statusReason: {
        code: 'registry-rate-limited',
        message: expect.stringMatching(
          /^127\.0\.0\.1:\d+ refuses further requests for now, and asks to wait 600 s/,
        ),
      },
    });
    expect(await place.executions.state(id)).toBe('ended');
    close();
  });

  it('that stays away ends the experiment, by its name', async () => {
    const { place, tiny } = await open();
    const { image, close } = await flaky({ place, tiny }, 1000);
    const { id } = await place.create({ image, command: ['true'] });
    expect(await place.over(id)).toMatchObject({
      status: 'failed',
      attempts: [],
      statusReason: {
        code: 'registry-unavailable',
        message: expect.stringMatching(/^127\.0\.0\.1:\d+ answered 503/),
      },
    });
    expect(await place.executions.state(id)).toBe('ended');
    close();
  });
});
