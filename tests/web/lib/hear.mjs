/** What a screen reader would say: what the browser's accessibility tree holds, and in which order things make
 * themselves heard. */

/** From now on the page keeps in `heard` what gets the focus and what live regions say. */
export function listen(page) {
  return page.evaluate(() => {
    const {shadowRoot: root} = document.querySelector('bonafide-capture');
    window.heard = [];
    const named = (node) => node.getAttribute('aria-label') ?? node.textContent.trim();
    const described = (node) => (node.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean)
      .map((id) => root.getElementById(id).innerText.replace(/\s+/g, ' '));
    root.addEventListener('focusin', ({target}) => {
      window.heard.push([`focus: ${named(target)}`, described(target).join(' ')].filter(Boolean).join(': '));
    });
    const region = (node) =>
      (node.nodeType === 1 ? node : node.parentElement)?.closest('[role="status"], [role="alert"]');
    new MutationObserver((changes) => {
      // A region that comes with its text is heard only when it is an alert.
      const alerts = changes.flatMap(({addedNodes}) => [...addedNodes])
        .flatMap((node) => node instanceof Element ? [...node.querySelectorAll('[role="alert"]')] : []);
      const spoken = new Set([...alerts, ...changes.map(({target}) => region(target))]);
      for (const node of spoken) {
        if (!node?.textContent || node.getClientRects().length === 0) continue;
        const urgent = node.role === 'alert' || node.ariaLive === 'assertive';
        window.heard.push(`${urgent ? 'now' : 'soon'}: ${node.textContent}`);
      }
    }).observe(root, {subtree: true, childList: true, characterData: true});
  });
}

/** The browser's accessibility tree as lines: role, name, and what describes it. */
export async function tree(page) {
  const session = await page.context().newCDPSession(page);
  const {nodes} = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const quiet = ['StaticText', 'InlineTextBox', 'none', 'generic'];
  return nodes.filter(({ignored, role}) => !ignored && !quiet.includes(role?.value))
    .map(({role, name, description}) => [role.value, name?.value, description?.value].filter(Boolean).join(': '));
}
