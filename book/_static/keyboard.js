// The theme takes the focus off its own buttons once they are pressed. Who pressed a key, and not the mouse, keeps it.
for (const button of document.querySelectorAll(".theme-switch-button, .search-button, .primary-toggle, .secondary-toggle"))
  button.addEventListener("click", ({ detail }) => detail === 0 && button.focus());
