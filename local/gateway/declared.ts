/** HTTP APIs as the templates declare them. */
import type { DeclaredResource, ResourceType } from '../platform.ts';
import { generatedName } from '../template/names.ts';

export interface Authorizer {
  id: string;
  functionArn: string;
  /** Header names, from `$request.header.<name>`. */
  identityHeaders: string[];
  ttlSeconds: number;
}

export interface Route {
  key: string;
  /** `ANY` or a method; empty for `$default`. */
  method: string;
  segments: string[];
  functionArn: string;
  timeoutMs: number;
  authorizer?: Authorizer;
}

export interface Throttle {
  ratePerSecond: number;
  burst: number;
}

export interface HttpApi {
  id: string;
  routes: Route[];
  stage: string;
  throttle?: Throttle;
  /** Of routes that have one of their own, by key. */
  routeThrottles: Map<string, Throttle>;
  accessLog?: { group: string; format: string };
}

const apiId = (declared: { stack: string; logicalId: string }) => generatedName(declared, 100).slice(-10);

/** `apiUrl` is where the gateway listens. */
export const gatewayResourceTypes = (apiUrl: string): Record<string, ResourceType> => ({
  'AWS::ApiGatewayV2::Api': {
    physicalId: apiId,
    attributes: ({ physicalId }) => ({ ApiId: physicalId, ApiEndpoint: apiUrl }),
  },
  'AWS::ApiGatewayV2::Stage': { physicalId: ({ properties }) => properties.StageName },
  'AWS::ApiGatewayV2::Route': {
    physicalId: apiId,
    attributes: ({ physicalId }) => ({ RouteId: physicalId }),
  },
  'AWS::ApiGatewayV2::Integration': {
    physicalId: apiId,
    attributes: ({ physicalId }) => ({ IntegrationId: physicalId }),
  },
  'AWS::ApiGatewayV2::Authorizer': {
    physicalId: apiId,
    attributes: ({ physicalId }) => ({ AuthorizerId: physicalId }),
  },
});

/** Integrations and authorizers name a function by its ARN or by API Gateway's path around it. */
const functionOf = (uri: string): string =>
  /functions\/(arn:[^/]+)\/invocations$/.exec(uri)?.[1] ?? uri.replace(/\/invocations$/, '');

function refuse(resource: DeclaredResource, reason: string): never {
  throw new Error(`${resource.stack}/${resource.logicalId}: ${reason}`);
}

function readAuthorizer(resource: DeclaredResource): Authorizer {
  const { properties, physicalId } = resource;
  if (properties.AuthorizerType !== 'REQUEST')
    refuse(resource, 'the embedded cloud supports only REQUEST authorizers');
  if (properties.AuthorizerPayloadFormatVersion !== '2.0' || properties.EnableSimpleResponses !== true) {
    refuse(
      resource,
      'the embedded cloud supports only authorizers with payload format 2.0 and simple responses',
    );
  }
  const sources: string[] = properties.IdentitySource ?? [];
  const identityHeaders = sources.map((source) => {
    const [, header] = /^\$request\.header\.([A-Za-z0-9-]+)$/.exec(source) ?? [];
    return (
      header?.toLowerCase() ??
      refuse(resource, `the embedded cloud does not support the identity source ${source}`)
    );
  });
  const ttlSeconds = Number(properties.AuthorizerResultTtlInSeconds ?? 0);
  if (ttlSeconds > 0 && identityHeaders.length === 0)
    refuse(resource, 'an authorizer that caches requires an identity source');
  return { id: physicalId, functionArn: functionOf(properties.AuthorizerUri), identityHeaders, ttlSeconds };
}

function readRoute(resource: DeclaredResource, byId: Map<string, DeclaredResource>): Route {
  const { properties } = resource;
  const integrationId = String(properties.Target).replace(/^integrations\//, '');
  const integration = byId.get(integrationId) ?? refuse(resource, `no integration ${integrationId}`);
  const { IntegrationType, PayloadFormatVersion, IntegrationUri, TimeoutInMillis } = integration.properties;
  if (IntegrationType !== 'AWS_PROXY' || PayloadFormatVersion !== '2.0') {
    refuse(integration, 'the embedded cloud supports only AWS_PROXY integrations with payload format 2.0');
  }
  const type = properties.AuthorizationType ?? 'NONE';
  if (type !== 'NONE' && type !== 'CUSTOM')
    refuse(resource, `the embedded cloud does not support authorization of type ${type}`);
  const authorizer = type === 'CUSTOM' ? byId.get(properties.AuthorizerId) : undefined;
  if (type === 'CUSTOM' && !authorizer)
    refuse(resource, `no template declares the authorizer ${properties.AuthorizerId}`);
  const key: string = properties.RouteKey;
  const [method = '', path = ''] = key === '$default' ? [] : key.split(' ');
  return {
    key,
    method,
    segments: path.split('/').slice(1),
    functionArn: functionOf(IntegrationUri),
    timeoutMs: Math.min(TimeoutInMillis ?? 30_000, 30_000),
    authorizer: authorizer && readAuthorizer(authorizer),
  };
}

const throttleOf = (settings: Record<string, unknown>): Throttle | undefined =>
  settings.ThrottlingRateLimit === undefined
    ? undefined
    : {
        ratePerSecond: Number(settings.ThrottlingRateLimit),
        burst: Number(settings.ThrottlingBurstLimit ?? settings.ThrottlingRateLimit),
      };

function routeThrottles(stage: DeclaredResource, routes: DeclaredResource[]): Map<string, Throttle> {
  const known = new Set(routes.map(({ properties }) => properties.RouteKey));
  const settings: [string, Record<string, unknown>][] = Object.entries(stage.properties.RouteSettings ?? {});
  const throttles = new Map<string, Throttle>();
  for (const [key, one] of settings) {
    if (!known.has(key))
      refuse(stage, `Unable to find Route by key ${key} within the provided RouteSettings`);
    const throttle = throttleOf(one);
    if (throttle) throttles.set(key, throttle);
  }
  return throttles;
}

/** @throws Error naming the logical id of what can't be done here */
export function readHttpApi(resources: DeclaredResource[]): HttpApi | undefined {
  const of = (type: string) => resources.filter((one) => one.type === `AWS::ApiGatewayV2::${type}`);
  const [api, second] = of('Api');
  if (!api) return undefined;
  if (second)
    refuse(second, 'the embedded cloud supports one HTTP API, and the templates declare a second one');
  if (api.properties.ProtocolType !== 'HTTP')
    refuse(api, `the embedded cloud does not support the protocol ${api.properties.ProtocolType}`);
  if (api.properties.CorsConfiguration) refuse(api, 'the embedded cloud does not support CorsConfiguration');
  const [stage] = of('Stage');
  if (!stage) refuse(api, 'the API has no stage');
  if (stage.physicalId !== '$default') refuse(stage, 'the embedded cloud supports only the stage $default');
  const byId = new Map(resources.map((one) => [one.physicalId, one]));
  const { DefaultRouteSettings: limits, AccessLogSettings: log } = stage.properties;
  return {
    id: api.physicalId,
    stage: stage.physicalId,
    routes: of('Route').map((route) => readRoute(route, byId)),
    throttle: limits && throttleOf(limits),
    routeThrottles: routeThrottles(stage, of('Route')),
    accessLog: log?.DestinationArn && {
      group: String(log.DestinationArn)
        .replace(/^.*:log-group:/, '')
        .replace(/:\*$/, ''),
      format: log.Format,
    },
  };
}
