// Answers one question per line with one decision per line, by an independent evaluator in a process of
// its own.
import { createInterface } from 'node:readline'
import { decide, prepare } from './engine.mjs'

function answer(question) {
  const result = decide(prepare(question))
  return result[0].toLowerCase() + result.slice(1)
}

for await (const line of createInterface({ input: process.stdin })) {
  let text
  try {
    text = answer(JSON.parse(line))
  } catch (error) {
    text = `error: ${error.message}`
  }
  console.log(JSON.stringify(text))
}
