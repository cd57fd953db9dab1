// Browsers have a clipboard on HTTPS and on this machine only.
const commands = navigator.clipboard ? document.querySelectorAll("pre.command") : [];
for (const command of commands) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command.querySelector("code").textContent.trimEnd());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  command.append(button);
}
