/** Resources of a small HTTP API: functions, routes, an authorizer. */
import { codeOf, functionRole } from './assembly.ts';

/** A function whose code is the asset of the same name. */
export const lambdaFunction = (name: string, properties: object = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: codeOf(name),
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    FunctionName: name,
    Role: { 'Fn::GetAtt': ['FunctionRole', 'Arn'] },
    MemorySize: 256,
    Timeout: 10,
    ...properties,
  },
});

/** Lets the API call a function. */
export const apiPermission = (logicalId: string) => ({
  Type: 'AWS::Lambda::Permission',
  Properties: {
    FunctionName: { 'Fn::GetAtt': [logicalId, 'Arn'] },
    Principal: 'apigateway.amazonaws.com',
    Action: 'lambda:InvokeFunction',
    SourceArn: { 'Fn::Sub': `arn:aws:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${Api}/*` },
  },
});

const integration = (logicalId: string, timeoutMs?: number) => ({
  Type: 'AWS::ApiGatewayV2::Integration',
  Properties: {
    ApiId: { Ref: 'Api' },
    IntegrationType: 'AWS_PROXY',
    IntegrationUri: { 'Fn::GetAtt': [logicalId, 'Arn'] },
    PayloadFormatVersion: '2.0',
    ...(timeoutMs && { TimeoutInMillis: timeoutMs }),
  },
});

export interface RouteSettings {
  key: string;
  /** Logical id of the function. */
  target: string;
  open?: boolean;
  timeoutMs?: number;
}

/** The API with these routes; `authorizer` is the logical id of the function before all that aren't open. */
export function httpApi(routes: RouteSettings[], authorizer?: string, stage: object = {}) {
  const resources: Record<string, { Type: string; Properties: object }> = {
    FunctionRole: functionRole(),
    Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'test', ProtocolType: 'HTTP' } },
    Stage: {
      Type: 'AWS::ApiGatewayV2::Stage',
      Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true, ...stage },
    },
  };
  if (authorizer) {
    resources.Authorizer = {
      Type: 'AWS::ApiGatewayV2::Authorizer',
      Properties: {
        ApiId: { Ref: 'Api' },
        AuthorizerType: 'REQUEST',
        AuthorizerPayloadFormatVersion: '2.0',
        EnableSimpleResponses: true,
        IdentitySource: ['$request.header.Authorization'],
        AuthorizerResultTtlInSeconds: 60,
        AuthorizerUri: { 'Fn::GetAtt': [authorizer, 'Arn'] },
      },
    };
  }
  for (const [index, { key, target, open, timeoutMs }] of routes.entries()) {
    resources[`Integration${index}`] = integration(target, timeoutMs);
    const guard =
      authorizer && !open ? { AuthorizationType: 'CUSTOM', AuthorizerId: { Ref: 'Authorizer' } } : {};
    resources[`Route${index}`] = {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId: { Ref: 'Api' },
        RouteKey: key,
        Target: { 'Fn::Join': ['/', ['integrations', { Ref: `Integration${index}` }]] },
        ...guard,
      },
    };
  }
  return resources;
}
