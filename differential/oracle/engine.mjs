// The independent evaluator's engine. It is called rather than its front door, which drops condition keys
// that it does not know for an action.
import { readFileSync } from 'node:fs'

const wanted = JSON.parse(readFileSync('package.json', 'utf8'))
const installed = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8')).packages
for (const [name, integrity] of Object.entries(wanted.integrity)) {
  const found = installed[`node_modules/${name}`]?.integrity
  if (found !== integrity) {
    console.error(`${name}: integrity is ${found}, wanted ${integrity}`)
    process.exit(1)
  }
}

const engine = (path) =>
  import(new URL(`node_modules/@cloud-copilot/iam-simulate/dist/esm/${path}.js`, `file://${process.cwd()}/`))
const { authorize } = await engine('core_engine/CoreSimulatorEngine')
const { AwsRequestImpl } = await engine('request/request')
const { RequestContextImpl } = await engine('requestContext')
const { DiscoveryContextKeyConstraints } = await engine('context_keys/discoveryContextKeyConstraints')
const { loadPolicy } = await import(
  new URL('node_modules/@cloud-copilot/iam-policy/dist/esm/index.js', `file://${process.cwd()}/`)
)

const simulationParameters = {
  simulationMode: 'Strict',
  discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([])
}

const load = (policies) => (policies ?? []).map((policy, index) => loadPolicy(policy, { name: `${index}` }))
const levels = (policies, always = []) =>
  (policies ?? []).map((level, index) => ({ orgIdentifier: `${index}`, policies: load([...always, ...level]) }))

// RCPFullAWSAccess is at every level and can't be detached; the evaluator's front door adds it as well.
const fullAccess = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' } }

// A question as the engine takes it.
export function prepare(question) {
  const { principal, action, resource, resourceAccount } = question
  const context = Object.fromEntries(
    Object.entries(question.context ?? {}).map(([key, value]) => [key, Array.isArray(value) ? value.map(String) : String(value)])
  )
  return {
    request: new AwsRequestImpl(
      principal === '*' ? { type: 'Anonymous' } : principal,
      { resource, accountId: resourceAccount },
      action,
      new RequestContextImpl(context),
      resource === '*'
    ),
    sessionPolicy: load(question.sessionPolicies)[0],
    identityPolicies: load(question.identityPolicies),
    serviceControlPolicies: levels(question.serviceControlPolicies),
    resourceControlPolicies: levels(question.resourceControlPolicies, [fullAccess]),
    resourcePolicy: load(question.resourcePolicy && [question.resourcePolicy])[0],
    permissionBoundaries: question.permissionsBoundary && load([question.permissionsBoundary]),
    vpcEndpointPolicies: undefined,
    simulationParameters,
    serviceSettings: {}
  }
}

// What the engine decides: `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`.
export const decide = (prepared) => authorize(prepared).result
