// Times the independent evaluator. One line says what to do and how often, one line answers with the time
// that took and how many requests were allowed: `{"what": "decide", "passes": 3}`.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { decide, prepare } from './engine.mjs'

const lines = readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')
const prepared = lines.map((line) => prepare(JSON.parse(line)))

// What this thread has used of a processor, where the system tells, else the time that passes.
function now() {
  try {
    return BigInt(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0])
  } catch {
    return process.hrtime.bigint()
  }
}

const allowed = (question) => decide(question) === 'Allowed'
const tenTimes = (question) => {
  let times = 0
  for (let time = 0; time < 10; time++) times += allowed(question)
  return times
}
const sum = (list, count) => list.reduce((so_far, one) => so_far + count(one), 0)

const work = {
  decide_ten_times: () => sum(prepared, tenTimes),
  decide: () => sum(prepared, allowed),
  parse_and_decide: () => sum(lines, (line) => allowed(prepare(JSON.parse(line))))
}

const { version } = JSON.parse(readFileSync('node_modules/@cloud-copilot/iam-simulate/package.json', 'utf8'))
console.log(JSON.stringify(`iam-simulate ${version} on Node.js ${process.version.slice(1)}`))
for await (const line of createInterface({ input: process.stdin })) {
  const { what, passes } = JSON.parse(line)
  let result = 0
  const start = now()
  for (let pass = 0; pass < passes; pass++) result += work[what]()
  console.log(JSON.stringify({ nanoseconds: Number(now() - start), result }))
}
