/**
 * The page's script: fetches the page again, and changes only the nodes that differ, so that nothing flickers, and focus, scrolling and
 * opened details stay. Not while the tab is hidden.
 */
export const refreshScript = `'use strict';
const everyMs = 10000;
let lastMs = Date.now();
let running = false;

function patch(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return from.replaceWith(to);
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.isEqualNode(to)) return;
  // Whether details are open is the reader's choice.
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const next = [...to.childNodes];
  const current = [...from.childNodes];
  next.forEach((node, i) => (i < current.length ? patch(current[i], node) : from.append(node)));
  for (const node of current.slice(next.length)) node.remove();
}

async function refresh() {
  if (running || document.hidden) return;
  running = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(30000) });
    if (!answer.ok) throw new Error('status ' + answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    document.title = page.title;
    document.querySelector('link[rel=icon]').href = page.querySelector('link[rel=icon]').getAttribute('href');
    patch(document.body, document.adoptNode(page.body));
    lastMs = Date.now();
  } catch (error) {
    const seconds = Math.round((Date.now() - lastMs) / 1000);
    document.getElementById('stale').textContent =
      'Not up to date: the gateway did not answer for ' + seconds + ' s (' + error.message + ').';
  } finally {
    running = false;
  }
}

setInterval(refresh, everyMs);
document.addEventListener('visibilitychange', refresh);
`;
