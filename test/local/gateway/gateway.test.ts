import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';
import { apiPermission, httpApi, lambdaFunction } from '../http-api.ts';

const functions = {
  guard: `let calls = 0;
    export const handler = async ({ headers }) => {
      calls += 1;
      const token = headers.authorization;
      if (token === 'explode') throw new Error('no');
      if (token === 'nobody') throw new Error('Unauthorized');
      return { isAuthorized: token !== 'bad', context: { token, calls } };
    };`,
  echo: `export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event),
      headers: { 'Content-Type': 'application/json', 'X-Number': 7 }, cookies: ['a=1', 'b=2'] });`,
  odd: `export const handler = async ({ pathParameters: { kind } }) => {
      if (kind === 'throws') throw new Error('broken');
      if (kind === 'nonsense') return { statusCode: 'what' };
      if (kind === 'splits') return { statusCode: 200, headers: { 'x-a': 'b\\r\\nx-c: d' } };
      if (kind === 'plain') return { hello: 'world' };
      if (kind === 'binary') return { statusCode: 201, isBase64Encoded: true, body: 'AP8B' };
      if (kind === 'large') return { statusCode: 200, body: 'x'.repeat(7 * 1024 * 1024) };
      await new Promise((resolve) => setTimeout(resolve, 5000));
    };`,
};

let cloud: EmbeddedCloud;

beforeAll(async () => {
  cloud = await startEmbeddedCloud({
    functions,
    stacks: {
      api: {
        Resources: {
          ...httpApi(
            [
              { key: 'GET /v1/health', target: 'Echo', open: true },
              { key: 'GET /v1/images', target: 'Echo' },
              { key: 'GET /v1/images/{id}', target: 'Echo' },
              { key: 'GET /v1/images/latest', target: 'Echo' },
              { key: 'POST /v1/images', target: 'Echo' },
              { key: 'GET /v1/files/{path+}', target: 'Echo', open: true },
              { key: 'POST /v1/echo', target: 'Echo', open: true },
              { key: 'GET /v1/odd/{kind}', target: 'Odd', open: true },
              { key: 'GET /v1/hurried/{kind}', target: 'Odd', open: true, timeoutMs: 500 },
              { key: 'GET /v1/secret', target: 'Closed', open: true },
            ],
            'Guard',
          ),
          Guard: lambdaFunction('guard'),
          Echo: lambdaFunction('echo'),
          Odd: lambdaFunction('odd'),
          Closed: lambdaFunction('echo', { FunctionName: 'closed' }),
          GuardPermission: apiPermission('Guard'),
          EchoPermission: apiPermission('Echo'),
          OddPermission: apiPermission('Odd'),
        },
      },
    },
  });
});

afterAll(() => cloud?.remove());

// biome-ignore lint/suspicious/noExplicitAny: whatever the function or the gateway said
type Body = any;

async function get(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${cloud.apiUrl}${path}`, { headers });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Body };
}

describe('authorizer', () => {
  test('without a token the gateway answers 401 and asks nobody', async () => {
    expect(await get('/v1/images')).toMatchObject({ status: 401, body: { message: 'Unauthorized' } });
  });

  test('a refused token is 403 with the gateway own body', async () => {
    expect(await get('/v1/images', { authorization: 'bad' })).toMatchObject({
      status: 403,
      body: { message: 'Forbidden' },
    });
  });

  test('requests of one identity that come at once ask it once', async () => {
    const headers = { authorization: 'crowd' };
    const answers = await Promise.all(Array.from({ length: 8 }, () => get('/v1/images', headers)));
    const calls = answers.map(({ body }) => body.requestContext.authorizer.lambda.calls);
    expect(new Set(calls).size).toBe(1);
  });

  test('an authorizer that says Unauthorized is 401, one that fails otherwise is 500', async () => {
    expect(await get('/v1/images', { authorization: 'nobody' })).toMatchObject({ status: 401 });
    expect(await get('/v1/images', { authorization: 'explode' })).toMatchObject({
      status: 500,
      body: { message: 'Internal Server Error' },
    });
  });

  test('its answer is kept per token, for every route behind it', async () => {
    const first = await get('/v1/images', { authorization: 'one' });
    const second = await get('/v1/images/7', { authorization: 'one' });
    const other = await get('/v1/images', { authorization: 'two' });
    const seen = [first, second, other].map(({ body }) => body.requestContext.authorizer.lambda);
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[2]).toMatchObject({ token: 'two', calls: seen[0].calls + 1 });
  });
});

test('several Authorization headers reach the authorizer together, as no token', async () => {
  const seen = await new Promise<Body>((resolve, reject) => {
    const headers = [
      'Host',
      new URL(cloud.apiUrl).host,
      'Authorization',
      'one',
      'Authorization',
      'two',
      'X-A',
      '1',
      'x-a',
      '2',
    ];
    request(`${cloud.apiUrl}/v1/images`, { headers }, (answer) => {
      let text = '';
      answer.on('data', (part) => (text += part)).on('end', () => resolve(JSON.parse(text)));
    })
      .on('error', reject)
      .end();
  });
  expect(seen.requestContext.authorizer.lambda.token).toBe('one,two');
  expect(seen.headers).toMatchObject({ authorization: 'one,two', 'x-a': '1,2' });
});

describe('routes', () => {
  test('an unknown path or method is 404', async () => {
    expect(await get('/v1/nothing')).toMatchObject({ status: 404, body: { message: 'Not Found' } });
    const answer = await fetch(`${cloud.apiUrl}/v1/health`, { method: 'DELETE' });
    expect(answer.status).toBe(404);
  });

  test('malformed percent-encoding is 404', async () => {
    expect(await get('/v1/images/%ff')).toMatchObject({ status: 404 });
  });

  test('fixed segments win over parameters, which are decoded', async () => {
    const fixed = await get('/v1/images/latest', { authorization: 'one' });
    const parameter = await get('/v1/images/a%20b%2Fc', { authorization: 'one' });
    expect(fixed.body.routeKey).toBe('GET /v1/images/latest');
    expect(parameter.body).toMatchObject({
      routeKey: 'GET /v1/images/{id}',
      pathParameters: { id: 'a b/c' },
    });
  });

  test('a greedy parameter takes the rest', async () => {
    const { body } = await get('/v1/files/a/b/c.txt');
    expect(body.pathParameters).toEqual({ path: 'a/b/c.txt' });
  });
});

describe('events', () => {
  test('headers are lower-case and comma-joined, cookies apart, queries joined', async () => {
    const event = await new Promise<Record<string, unknown>>((resolve, reject) => {
      const outgoing = request(
        `${cloud.apiUrl}/v1/health?a=1&a=2&b=x%20y`,
        { headers: { 'X-Many': ['1', '2'], Cookie: 'k=v; l=w' } },
        async (incoming) => resolve(JSON.parse((await incoming.toArray()).join(''))),
      );
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'GET /v1/health',
      rawQueryString: 'a=1&a=2&b=x%20y',
      queryStringParameters: { a: '1,2', b: 'x y' },
      headers: { 'x-many': '1,2' },
      cookies: ['k=v', 'l=w'],
      isBase64Encoded: false,
      requestContext: { stage: '$default', http: { method: 'GET', path: '/v1/health' } },
    });
    expect(event.headers).not.toHaveProperty('cookie');
  });

  test('text bodies come as text, others as base64', async () => {
    const post = async (body: string | Uint8Array<ArrayBuffer>, type: string) => {
      const answer = await fetch(`${cloud.apiUrl}/v1/echo`, {
        method: 'POST',
        body,
        headers: { 'content-type': type },
      });
      return (await answer.json()) as { body: string; isBase64Encoded: boolean };
    };
    expect(await post('{"ü":1}', 'application/json')).toMatchObject({
      body: '{"ü":1}',
      isBase64Encoded: false,
    });
    expect(await post(new Uint8Array([0, 255, 1]), 'application/octet-stream')).toMatchObject({
      body: 'AP8B',
      isBase64Encoded: true,
    });
  });
});

describe('answers', () => {
  test('headers and cookies of the function arrive', async () => {
    const { headers } = await get('/v1/health');
    expect(headers.get('x-number')).toBe('7');
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(headers.get('apigw-requestid')).toBeTruthy();
  });

  test('a result without statusCode is a 200 with JSON; base64 becomes bytes', async () => {
    expect(await get('/v1/odd/plain')).toMatchObject({ status: 200, body: { hello: 'world' } });
    const binary = await fetch(`${cloud.apiUrl}/v1/odd/binary`);
    expect(binary.status).toBe(201);
    expect([...new Uint8Array(await binary.arrayBuffer())]).toEqual([0, 255, 1]);
  });

  test.each(['throws', 'nonsense', 'splits', 'large'])(
    'a function that %s is a 500 that says nothing',
    async (kind) => {
      expect(await get(`/v1/odd/${kind}`)).toMatchObject({
        status: 500,
        body: { message: 'Internal Server Error' },
      });
    },
  );

  test('an integration beyond its time is 503', async () => {
    expect(await get('/v1/hurried/slow')).toMatchObject({
      status: 503,
      body: { message: 'Service Unavailable' },
    });
  });

  test('a function without permission for the API is a 500, as on AWS', async () => {
    expect(await get('/v1/secret')).toMatchObject({ status: 500 });
    expect(cloud.printed.join()).toContain('no resource-based policy allows it');
  });
});

describe('limits', () => {
  test('a body above 10 MB is 413', async () => {
    const answer = await fetch(`${cloud.apiUrl}/v1/echo`, {
      method: 'POST',
      body: 'x'.repeat(10 * 1024 * 1024 + 1),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toEqual({ message: 'Request Entity Too Large' });
  });

  test('a refused body does not spoil the connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (body: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { 'content-type': 'application/json' };
        const outgoing = request(
          `${cloud.apiUrl}/v1/echo`,
          { method: 'POST', agent, headers },
          (incoming) => {
            incoming.resume().on('end', () => resolve(incoming.statusCode));
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    expect(await send('x'.repeat(11 * 1024 * 1024))).toBe(413);
    expect(await send('{}')).toBe(200);
    agent.destroy();
  });

  test('a body that fits the gateway but no function event is 413 too', async () => {
    const answer = await fetch(`${cloud.apiUrl}/v1/echo`, {
      method: 'POST',
      body: 'x'.repeat(7 * 1024 * 1024),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(413);
    await answer.body?.cancel();
  });

  test('headers above 10,240 bytes are 431', async () => {
    const answer = await get('/v1/health', { 'x-large': 'x'.repeat(10_240) });
    expect(answer).toMatchObject({ status: 431, body: { message: 'Request Header Fields Too Large' } });
  });
});

test('a route with a throttle of its own neither uses up that of the stage nor waits for it', async () => {
  const own = { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1 };
  const throttled = await startEmbeddedCloud({
    functions,
    stacks: {
      api: {
        Resources: {
          ...httpApi(
            [
              { key: 'GET /v1/health', target: 'Echo' },
              { key: 'GET /v1/images', target: 'Echo' },
              { key: 'GET /v1/files', target: 'Echo' },
            ],
            undefined,
            {
              DefaultRouteSettings: { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2 },
              RouteSettings: { 'GET /v1/health': own },
            },
          ),
          Echo: lambdaFunction('echo'),
          EchoPermission: apiPermission('Echo'),
        },
      },
    },
  });
  const statusOf = async (path: string) => {
    const answer = await fetch(`${throttled.apiUrl}${path}`);
    await answer.body?.cancel();
    return answer.status;
  };
  try {
    const health = [await statusOf('/v1/health'), await statusOf('/v1/health'), await statusOf('/v1/health')];
    expect(health).toEqual([200, 429, 429]);
    // The others share what is the stage's, and all of it.
    const others = [await statusOf('/v1/images'), await statusOf('/v1/files'), await statusOf('/v1/images')];
    expect(others).toEqual([200, 200, 429]);
  } finally {
    await throttled.remove();
  }
});

test('a stage throttle answers 429 beyond its burst, and when to come again', async () => {
  const throttled = await startEmbeddedCloud({
    functions,
    stacks: {
      api: {
        Resources: {
          ...httpApi([{ key: 'GET /v1/health', target: 'Echo' }], undefined, {
            DefaultRouteSettings: { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2 },
          }),
          Echo: lambdaFunction('echo'),
          EchoPermission: apiPermission('Echo'),
        },
      },
    },
  });
  try {
    const answers: [status: number, retryAfter: string | null][] = [];
    for (let count = 0; count < 3; count += 1) {
      const answer = await fetch(`${throttled.apiUrl}/v1/health`);
      await answer.body?.cancel();
      answers.push([answer.status, answer.headers.get('retry-after')]);
    }
    expect(answers).toEqual([
      [200, null],
      [200, null],
      [429, '1'],
    ]);
  } finally {
    await throttled.remove();
  }
});

test('a client that goes away within its body is told to nobody', async () => {
  const sent = request(`${cloud.apiUrl}/v1/echo`, { method: 'POST', headers: { 'content-length': 100 } });
  const gone = new Promise((resolve) => sent.on('error', resolve));
  sent.write('half');
  // The gateway has the headers, and waits for the rest.
  await get('/v1/health');
  sent.destroy();
  await gone;
  await get('/v1/health');
  expect(cloud.printed.filter((line) => line.startsWith('gateway: aborted'))).toEqual([]);
});
