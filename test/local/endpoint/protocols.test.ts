/** Refusals in the form of each wire protocol, as the clients of that protocol read them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCallCounts } from '../../../local/endpoint/call-counts.ts';
import { sign, stringToSign } from '../../../local/endpoint/canonical.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';

let cloud: EmbeddedCloud;
beforeAll(async () => {
  cloud = await startEmbeddedCloud({ stacks: { main: { Resources: {} } } });
});
afterAll(() => cloud?.remove());

interface Sent {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}
const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
const json10 = { 'content-type': 'application/x-amz-json-1.0' };
const json11 = { 'content-type': 'application/x-amz-json-1.1' };
const cbor = { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' };

/** Sends it signed for `service`, or without it unsigned. */
async function send({ method = 'POST', path = '/', headers = {}, body = '' }: Sent, service?: string) {
  const url = new URL(path, cloud.endpointUrl);
  const signed: Record<string, string> = { ...headers, host: url.host };
  if (service) {
    const { accessKeyId, secretAccessKey } = cloud.client.credentials;
    const timestamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const scope = { date: timestamp.slice(0, 8), region: cloud.region, service };
    Object.assign(signed, { 'x-amz-date': timestamp, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' });
    const names = Object.keys(signed).sort();
    const request = { method, path: url.pathname, query: url.searchParams, headers: signed };
    // Only S3 goes by the header; of the others the body is empty.
    const hash =
      service === 's3'
        ? 'UNSIGNED-PAYLOAD'
        : await crypto.subtle
            .digest('SHA-256', Buffer.from(body))
            .then((digest) => Buffer.from(digest).toString('hex'));
    const text = stringToSign(request, names, hash, scope, timestamp);
    signed.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.date}/${scope.region}/${service}/aws4_request, SignedHeaders=${names.join(';')}, Signature=${sign(secretAccessKey, scope, text)}`;
  }
  const { host, ...sent } = signed;
  const answer = await fetch(url, { method, headers: sent, ...(method === 'GET' ? {} : { body }) });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}
const action = (name: string, version: string) => `Action=${name}&Version=${version}`;

describe('an operation that is not there', () => {
  test.each<[string, string, Sent, string, RegExp]>([
    [
      'JSON 1.0',
      'kinesis',
      { headers: { ...json10, 'x-amz-target': 'Kinesis_20131202.ListStreams' } },
      'application/x-amz-json-1.0',
      /^\{"__type":"UnsupportedOperation","message":"[^"]*kinesis:ListStreams\."\}$/,
    ],
    [
      'JSON 1.1 of a service that is there',
      'ecr',
      { headers: { ...json11, 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.PutReplicationX' } },
      'application/x-amz-json-1.1',
      /"__type":"UnsupportedOperation".*ecr:PutReplicationX/,
    ],
    [
      'query',
      'iam',
      { headers: form, body: action('ListUsers', '2010-05-08') },
      'text/xml',
      /^<ErrorResponse><Error><Type>Sender<\/Type><Code>UnsupportedOperation<\/Code><Message>[^<]*iam:ListUsers\.</,
    ],
    [
      'query of a service that is there',
      'sts',
      { headers: form, body: action('GetSessionToken', '2011-06-15') },
      'text/xml',
      /<Code>UnsupportedOperation<\/Code><Message>[^<]*sts:GetSessionToken\./,
    ],
    [
      'query in a URL',
      'cloudformation',
      { method: 'GET', path: '/?Action=ListStacks&Version=2010-05-15' },
      'text/xml',
      /<Code>UnsupportedOperation<\/Code><Message>[^<]*cloudformation:ListStacks\./,
    ],
    [
      'EC2',
      'ec2',
      { headers: form, body: action('DescribeInstances', '2016-11-15') },
      'text/xml;charset=UTF-8',
      /<Response><Errors><Error><Code>UnsupportedOperation<\/Code><Message>[^<]*ec2:DescribeInstances\.<\/Message><\/Error><\/Errors><RequestID>/,
    ],
    [
      'REST with JSON',
      'eks',
      { method: 'GET', path: '/clusters' },
      'application/json',
      /^\{"message":"[^"]*eks:GET \/clusters\."\}$/,
    ],
    [
      'REST with XML',
      'route53',
      { method: 'GET', path: '/2013-04-01/hostedzone' },
      'text/xml',
      /^<ErrorResponse><Error>.*route53:GET \/2013-04-01\/hostedzone\./,
    ],
    ['S3', 's3', { method: 'PUT', path: '/?x' }, 'application/xml', /<Error><Code>UnsupportedOperation</],
    [
      'CBOR',
      'monitoring',
      { path: '/service/GraniteServiceVersion20100801/operation/ListMetrics', headers: cbor },
      'application/cbor',
      /^.f__typetUnsupportedOperationgmessage.*monitoring:ListMetrics\.$/s,
    ],
  ])('%s', async (_, service, request, type, body) => {
    const answer = await send(request, service);
    expect(answer.text).toMatch(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('x-amzn-errortype')).toBe('UnsupportedOperation');
  });
});

describe('a request without a signature', () => {
  test.each<[string, Sent, number, RegExp]>([
    [
      'JSON',
      { headers: { ...json11, 'x-amz-target': 'Logs_20140328.DescribeLogGroups' } },
      400,
      /"__type":"MissingAuthenticationTokenException"/,
    ],
    [
      'STS',
      { headers: form, body: action('GetCallerIdentity', '2011-06-15') },
      403,
      /^<ErrorResponse>.*<Code>MissingAuthenticationToken<\/Code><Message>Request is missing Authentication Token</,
    ],
    [
      'STS in a URL',
      { method: 'GET', path: '/?Action=GetCallerIdentity&Version=2011-06-15' },
      403,
      /<Code>MissingAuthenticationToken</,
    ],
    [
      'EC2',
      { headers: form, body: action('DescribeVpcs', '2016-11-15') },
      400,
      /<Response><Errors><Error><Code>MissingParameter</,
    ],
    ['S3, all buckets', { method: 'GET' }, 403, /<Error><Code>AccessDenied<\/Code><Message>Access Denied</],
    ['S3, a bucket', { method: 'GET', path: '/bucket?list-type=2' }, 403, /<Error><Code>AccessDenied</],
    ['S3, an object', { method: 'PUT', path: '/bucket/v1/key', body: 'x' }, 403, /<Code>AccessDenied</],
    ['Lambda', { path: '/2015-03-31/functions/one/invocations' }, 403, /^\{"message":"Missing Auth/],
    ['Batch', { path: '/v1/describejobs', body: '{}' }, 403, /^\{"message":"Missing Auth/],
    ['SES', { method: 'GET', path: '/v2/email/account' }, 403, /^\{"message":"Missing Auth/],
    [
      'CBOR',
      { path: '/service/Logs_20140328/operation/DescribeLogGroups', headers: cbor },
      400,
      /^.f__typex#MissingAuthenticationTokenException/s,
    ],
  ])('%s', async (_, request, status, body) => {
    const answer = await send(request);
    expect(answer.text).toMatch(body);
    expect(answer.status).toBe(status);
  });

  test.each(['ForgotPassword', 'GetUser', 'ConfirmSignUp', 'RevokeToken', 'UpdateUserAttributes'])(
    'of Cognito is no fault: %s is not there',
    async (operation) => {
      const target = `AWSCognitoIdentityProviderService.${operation}`;
      const answer = await send({ headers: { ...json11, 'x-amz-target': target }, body: '{}' });
      expect(JSON.parse(answer.text)).toEqual({
        __type: 'UnsupportedOperation',
        message: `The embedded cloud does not implement cognito-idp:${operation}.`,
      });
    },
  );
});

test('a presigned STS request, as Kubernetes and Vault send it, says who signed', async () => {
  const answer = await send({ method: 'GET', path: '/?Action=GetCallerIdentity&Version=2011-06-15' }, 'sts');
  expect(answer.text).toMatch(/^<GetCallerIdentityResponse>.*<Account>000000000000<\/Account>/);
});

test.each<[string, Sent]>([
  [
    'in a header',
    { method: 'GET', path: '/bucket/key', headers: { authorization: 'AWS AKIA:c2lnbmF0dXJl' } },
  ],
  ['in a URL', { method: 'GET', path: '/bucket/key?AWSAccessKeyId=AKIA&Signature=c2ln&Expires=1795983868' }],
])("S3's signature of version 2 is refused as such: %s", async (_, request) => {
  const answer = await send(request);
  expect(answer.status).toBe(400);
  expect(answer.text).toMatch(/<Code>InvalidRequest<\/Code><Message>The authorization mechanism/);
});

test('counts of calls stay bounded, whatever callers name', async () => {
  for (let i = 0; i < 30; i++) await send({ method: 'GET', path: `/bucket/${i}` });
  const read = await (await fetch(`${cloud.endpointUrl}/_calls`)).json();
  expect(Object.keys(read as object).filter((name) => name.includes('bucket'))).toEqual([]);
  expect((read as Record<string, number>)['s3:unsigned']).toBeGreaterThanOrEqual(30);
  const counts = createCallCounts();
  for (let i = 0; i < 5000; i++) counts.add('lambda', `POST /${i}`);
  counts.add('lambda', 'POST /0');
  const { 'lambda:POST /0': first, other } = counts.read();
  expect([Object.keys(counts.read()).length, first, other]).toEqual([1001, 2, 4000]);
});
