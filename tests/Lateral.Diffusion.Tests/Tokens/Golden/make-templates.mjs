// Makes templates-huggingface.json: what @huggingface/jinja (npm, 0.5.11) writes for the cases beside it.
//   npm install @huggingface/jinja@0.5.11 && TZ=UTC node make-templates.mjs > templates-huggingface.json
import { readFileSync } from 'node:fs';
import { Template } from '@huggingface/jinja';

const read = name => JSON.parse(readFileSync(new URL(name, import.meta.url)));
const [cases, chat] = [read('template-cases.json'), read('chat-templates.json')];
// The library has a strftime_now of its own; this is the moment of make-templates.py.
globalThis.Date = class extends Date {
  constructor() {
    super(Date.UTC(2026, 2, 4, 15, 6, 7));
  }
};
const render = (template, variables) => {
  try {
    // Half of a surrogate pair, which the library makes of some texts, is no JSON that everyone reads.
    return new Template(template).render(structuredClone(variables)).toWellFormed();
  } catch (mistake) {
    return { error: String(mistake.message) };
  }
};
const written = { cases: cases.cases.map(template => render(template, cases.variables)), chat: {} };
for (const [name, lines] of Object.entries(chat.templates)) {
  for (const [conversation, variables] of Object.entries(chat.conversations)) {
    for (const prompt of [false, true]) {
      written.chat[`${name} / ${conversation} / ${prompt ? 'prompt' : 'none'}`] = render(lines.join('\n'), { tools: null, documents: null, ...chat.tokens, ...variables, add_generation_prompt: prompt });
    }
  }
}
console.log(JSON.stringify(written, null, 1));
