"""The rules of alerts, a file each: it has a `RULE`, and that is all there is to adding one."""
