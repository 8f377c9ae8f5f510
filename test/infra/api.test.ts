import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ApiDocumentError, readApiDocument, routesOf } from '../../infra/openapi.ts';
import { exampleStage, synthesize } from './synthesized.ts';

const { ofType, find, templates } = synthesize();
const routes = ofType('AWS::ApiGatewayV2::Route');
const document = JSON.parse(readFileSync('functions/public/openapi.json', 'utf8'));
const operations = Object.entries<Record<string, { 'x-slipway-function': string; security?: unknown[] }>>(
  document.paths,
).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => ['get', 'put', 'post', 'patch', 'delete'].includes(method))
    .map(([method, operation]) => ({ key: `${method.toUpperCase()} ${path}`, ...operation })),
);

describe('the HTTP API', () => {
  test('has one route for every operation of the OpenAPI document, to its function', () => {
    const integrations = new Map(
      ofType('AWS::ApiGatewayV2::Integration').map((one) => [
        `integrations/${one.physicalId}`,
        one.properties.IntegrationUri,
      ]),
    );
    const actual = routes.map(({ properties }) => [properties.RouteKey, integrations.get(properties.Target)]);
    const expected = operations.map((one) => [
      one.key,
      find('AWS::Lambda::Function', ` slipway-example-${one['x-slipway-function']}`).attributes.Arn,
    ]);
    expect(actual.sort()).toEqual(expected.sort());
    expect(routes.length).toBeLessThanOrEqual(300);
  });

  test('lets nobody in without the authorizer, but for health, the OpenAPI document and pages with a key of their own', () => {
    const authorizer = find('AWS::ApiGatewayV2::Authorizer');
    const open = routes.filter(({ properties }) => properties.AuthorizationType !== 'CUSTOM');
    expect(open.map(({ properties }) => properties.RouteKey).sort()).toEqual([
      'GET /v1/builds/{id}/page',
      'GET /v1/health',
      'GET /v1/openapi.json',
    ]);
    for (const { properties } of routes.filter((one) => !open.includes(one)))
      expect(properties.AuthorizerId).toBe(authorizer.physicalId);
    expect(routes.some(({ properties }) => properties.RouteKey === '$default')).toBe(false);
  });

  test('asks the authorizer with payload 2.0 for a simple answer, kept for a minute per token', () => {
    expect(find('AWS::ApiGatewayV2::Authorizer').properties).toMatchObject({
      AuthorizerType: 'REQUEST',
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      IdentitySource: ['$request.header.Authorization'],
      AuthorizerResultTtlInSeconds: 60,
    });
  });

  test('throttles, and logs who asked for what without headers', () => {
    const { DefaultRouteSettings, AccessLogSettings, AutoDeploy } =
      find('AWS::ApiGatewayV2::Stage').properties;
    expect(AutoDeploy).toBe(true);
    expect(DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 });
    expect(JSON.parse(AccessLogSettings.Format)).toHaveProperty('requestId', '$context.requestId');
    expect(AccessLogSettings.Format).not.toMatch(/header|authorization/i);
  });

  test('logs nothing in the words of a caller or an error, which could end the line’s JSON', () => {
    const { Format } = find('AWS::ApiGatewayV2::Stage').properties.AccessLogSettings;
    const logged = [...String(Format).matchAll(/\$context\.([A-Za-z.]+)/g)].map(([, name]) => name);
    expect(logged.filter((name) => /path|userAgent|message|\.error$/i.test(name ?? ''))).toEqual([]);
  });

  test('throttles what strangers may call, and what waits, apart from the rest', () => {
    const { RouteSettings } = find('AWS::ApiGatewayV2::Stage').properties;
    expect(Object.keys(RouteSettings).sort()).toEqual([
      'GET /v1/builds/{id}/events',
      'GET /v1/builds/{id}/logs',
      'GET /v1/builds/{id}/page',
      'GET /v1/experiments/{id}/events',
      'GET /v1/experiments/{id}/logs',
      'GET /v1/health',
      'GET /v1/openapi.json',
    ]);
    for (const settings of Object.values(RouteSettings))
      expect(settings).toEqual({
        ThrottlingRateLimit: expect.any(Number),
        ThrottlingBurstLimit: expect.any(Number),
      });
    // CloudFormation sets a stage's routes only where they are there already.
    const declared = templates
      .flatMap(({ template }) => Object.values(template.Resources ?? {}))
      .find(({ Type }) => Type === 'AWS::ApiGatewayV2::Stage');
    expect(declared).toMatchObject({
      DependsOn: expect.arrayContaining([expect.stringMatching(/Route|GET|v1/)]),
    });
  });

  test('may invoke each function by one permission, whatever the number of routes', () => {
    const permissions = ofType('AWS::Lambda::Permission').filter(
      ({ properties }) => properties.Principal === 'apigateway.amazonaws.com',
    );
    const behindRoutes = new Set(operations.map((one) => one['x-slipway-function']));
    expect(permissions).toHaveLength(behindRoutes.size + 1);
  });
});

describe('routes from the OpenAPI document', () => {
  const one = (operation: object) => ({ paths: { '/v1/things/{id}': { get: operation } } });

  test('an operation without a function of ours stops synth and says which', () => {
    expect(() => routesOf(one({ 'x-slipway-function': 'thingies' }), ['images', 'builds'])).toThrow(
      'GET /v1/things/{id}: no function "thingies" behind the API; x-slipway-function is one of images, builds',
    );
  });

  test('an operation that names none stops synth', () => {
    expect(() => routesOf(one({}), ['images'])).toThrow(ApiDocumentError);
  });

  test('only an empty security list opens a route', () => {
    const open = (security?: unknown) =>
      routesOf(one({ 'x-slipway-function': 'images', ...(security ? { security } : {}) }), ['images'])[0]
        ?.open;
    expect(open([])).toBe(true);
    expect(open([{ bearer: [] }])).toBe(false);
    expect(open()).toBe(false);
  });

  test("more routes than API Gateway's 300 stop synth", () => {
    const paths = Object.fromEntries(
      Array.from({ length: 301 }, (_, index) => [
        `/v1/${index}`,
        { get: { 'x-slipway-function': 'images' } },
      ]),
    );
    expect(() => routesOf({ paths }, ['images'])).toThrow('301 routes; an HTTP API has at most 300');
  });

  test('the committed document fits', () => {
    expect(
      routesOf(
        readApiDocument(),
        operations.map((each) => each['x-slipway-function']),
      ),
    ).toHaveLength(operations.length);
  });
});

describe('who signs in', () => {
  test('by default a user pool, where nobody signs up alone or writes their own email', () => {
    expect(find('AWS::Cognito::UserPool').properties.AdminCreateUserConfig).toMatchObject({
      AllowAdminCreateUserOnly: true,
      InviteMessageTemplate: { EmailSubject: expect.stringContaining('Slipway') },
    });
    const client = find('AWS::Cognito::UserPoolClient').properties;
    expect(client.WriteAttributes).toEqual(['name']);
    expect(client.GenerateSecret).toBe(false);
    const { Variables } = find('AWS::Lambda::Function', 'authorizer').properties.Environment;
    expect(Variables.AUTH_AUDIENCE).toBe(find('AWS::Cognito::UserPoolClient').physicalId);
    expect(Variables.AUTH_ISSUER).toBe(find('AWS::Cognito::UserPool').attributes.ProviderURL);
  });

  test('or the configured OIDC issuer, with no user pool and no permission on one', () => {
    const oidc = { issuer: 'https://login.example.com', audience: 'slipway' };
    const other = synthesize(exampleStage({ oidc }));
    expect(other.ofType('AWS::Cognito::UserPool')).toEqual([]);
    const { Variables } = other.find('AWS::Lambda::Function', 'authorizer').properties.Environment;
    expect(Variables).toMatchObject({ AUTH_ISSUER: oidc.issuer, AUTH_AUDIENCE: oidc.audience });
    expect(JSON.stringify(other.ofType('AWS::IAM::Role'))).not.toContain('cognito');
  });
});

test('outputs name what operators and scripts need', () => {
  const outputs = templates.find((one) => one.name === 'slipway-example-api')?.template.Outputs ?? {};
  expect(Object.keys(outputs)).toEqual(
    expect.arrayContaining([
      'ApiUrl',
      'UserPoolId',
      'UserPoolClientId',
      'TableName',
      'TokenKeySecretArn',
      'EcrRegistry',
      'AlarmTopicArn',
    ]),
  );
});
