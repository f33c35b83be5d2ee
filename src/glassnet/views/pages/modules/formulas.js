// Letters of formulas where no font has them: browsers set a single letter of MathML as one of Unicode's mathematical italics, and
// show an empty box when no font of the machine holds these. The letter itself, slanted, is always there.

/** Whether some font has mathematical italics: a W is wider than an i, but boxes are all alike. */
function hasLetters() {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "40px math, serif";
  return Math.abs(pen.measureText("\u{1D44A}").width - pen.measureText("\u{1D456}").width) > 2;
}

function plain(root) {
  for (const letter of root.querySelectorAll("mi:not([mathvariant])")) {
    if ([...letter.textContent].length === 1) letter.classList.add("letter");
  }
  for (const sign of root.querySelectorAll("mo")) {
    const tall = sign.parentElement.querySelector("mfrac, mtable"); // else it would be as tall as the powers in it
    if ("()|".includes(sign.textContent) && !tall) sign.setAttribute("stretchy", "false");
  }
}

/** Makes the formulas of the page readable without mathematical fonts, those too that come later. */
export function readableFormulas() {
  if (hasLetters()) return;
  plain(document);
  new MutationObserver((changes) => {
    for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
      if (node.querySelectorAll) plain(node.parentElement ?? node);
    }
  }).observe(document.body, { childList: true, subtree: true });
}
