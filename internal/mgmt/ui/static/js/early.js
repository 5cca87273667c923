// Sets the colours before the first paint, so that a dark page does not flash
// white. A plain script, because modules run only after parsing.
(function () {
  try {
    var theme = JSON.parse(localStorage.getItem('warren.theme'));
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  } catch (e) { /* no storage: the system's colours */ }
})();
