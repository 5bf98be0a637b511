// Swagger UI on the left, and on the right what AI Rudder received for each request.
'use strict';

// The page is refreshed after each of its own requests, and at this interval for those of other clients.
const REFRESH_MS = 1000;

// The description names the deployed servers. Here, requests go to this example.
const servers = [{ url: window.location.origin, description: 'The relay on this machine' }];

// Swagger UI enters the examples of parameters. An idempotency key that stays the same would make the relay refuse the
// second lead that the user sends, so optional parameters stay empty.
function withoutExample([name, parameter]) {
  const { example, ...rest } = parameter;
  return [name, parameter.required ? parameter : rest];
}

const forThisExample = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (spec) => {
          const parameters = Object.fromEntries(Object.entries(spec.components?.parameters ?? {}).map(withoutExample));
          return update({ ...spec, servers, components: { ...spec.components, parameters } });
        },
      },
    },
  },
});

const ui = window.SwaggerUIBundle({
  url: '/docs/openapi.yaml',
  dom_id: '#api',
  plugins: [forThisExample],
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  // The validator is a service on the internet.
  validatorUrl: null,
  responseInterceptor: (response) => {
    refresh();
    return response;
  },
  onComplete: () => {
    const schemes = ui.specSelectors.specJson().getIn(['components', 'securitySchemes']);
    schemes?.forEach((_, name) => ui.preauthorizeApiKey(name, document.documentElement.dataset.key));
  },
});

function element(name, text, className) {
  const created = document.createElement(name);
  created.textContent = text;
  created.className = className ?? '';
  return created;
}

function summary({ status, lead_outcome, lead_error, replayed, sandbox }) {
  const notes = [replayed && 'replayed', sandbox && 'sandbox'].filter(Boolean);
  const parts = [status, lead_outcome, lead_error, notes.length > 0 && `(${notes.join(', ')})`];
  return parts.filter(Boolean).join(' ');
}

function card({ request_id, time, request, response, pushes }) {
  const item = element('li', '', response?.lead_outcome);
  item.dataset.requestId = request_id ?? '';
  item.append(element('p', `${time}  ${request ?? 'A request to a relay in another tool'}`));
  item.append(element('p', response ? summary(response) : request ? 'in progress' : '', 'result'));
  item.append(element('p', `request-id: ${request_id ?? 'not known'}`, 'muted'));
  if (pushes.length === 0) {
    item.append(element('p', response ? 'AI Rudder received nothing.' : '', 'muted'));
  }
  for (const { path, accepted, body } of pushes) {
    item.append(element('p', `AI Rudder ${accepted ? 'received and took' : 'received and did not take'} this:`));
    item.append(element('pre', `POST ${path}\n${JSON.stringify(body, null, 2)}`));
  }
  return item;
}

let shown = '';

async function refresh() {
  const status = document.getElementById('status');
  try {
    const latest = await (await fetch('/docs/pushes', { cache: 'no-store' })).text();
    status.textContent = latest === '[]' ? 'No request yet.' : '';
    // A selection in the list survives unless the list changes.
    if (latest !== shown) {
      shown = latest;
      document.getElementById('exchanges').replaceChildren(...JSON.parse(latest).map(card));
    }
  } catch {
    status.textContent = 'The example does not respond. Is it still running?';
  }
}

refresh();
setInterval(() => document.hidden || refresh(), REFRESH_MS);
