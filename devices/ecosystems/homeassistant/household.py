"""All announced entities and the groups they form; what changes when one comes or goes.

It keeps books and reads no messages. Everything is bounded: what finds no room is refused
with a PayloadError.
"""

from __future__ import annotations

from collections.abc import Iterable

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant.discovery import DeviceInfo
from devices.ecosystems.homeassistant.groups import Group, Logical, Member, logicals

MAX_ENTITIES = 20_000
MAX_MEMBERS = 256


class Change:
    """What became of one group: devices gone, and devices new or different."""

    def __init__(self, gone: Iterable[str], present: Iterable[Logical], taken: int) -> None:
        self.gone = tuple(gone)
        self.present = tuple(present)
        self.taken = taken
        """how many were left out because their id belongs to another group"""


class Household:
    """Entities by key, groups by identifier, devices by id."""

    def __init__(self) -> None:
        self._group_of: dict[str, str] = {}
        self._groups: dict[str, Group] = {}
        self._by_identifier: dict[str, str] = {}
        self._by_stable_id: dict[str, str] = {}
        self._devices: dict[str, Logical] = {}
        self._device_of: dict[str, str] = {}
        self._touched: dict[str, None] = {}

    def __len__(self) -> int:
        """How many entities there are."""
        return len(self._group_of)

    def member(self, key: str) -> Member | None:
        """The entity announced under `key`, None when there is none."""
        group = self._groups.get(self._group_of.get(key, ""))
        return group.members.get(key) if group else None

    def device(self, device_id: str) -> Logical | None:
        """The device, None when it is unknown."""
        return self._devices.get(device_id)

    def device_of(self, key: str) -> Logical | None:
        """The device that entity `key` belongs to."""
        return self._devices.get(self._device_of.get(key, ""))

    def holder(self, stable_id: str) -> str:
        """The key of the entity that has this unique id, "" when none has."""
        return self._by_stable_id.get(stable_id, "")

    def put(self, member: Member, info: DeviceInfo) -> None:
        """Take an entity in, in place of what it was. Raises PayloadError when it may not be."""
        holder = self.holder(member.stable_id)
        if holder and holder != member.key:
            raise PayloadError("another entity has the same unique id")
        if member.key not in self._group_of and len(self) >= MAX_ENTITIES:
            raise PayloadError("there is no room for another entity")
        key = self._key_for(member, info)
        group = self._groups.get(key)
        full = group is not None and len(group.members) >= MAX_MEMBERS
        if group is not None and full and member.key not in group.members:
            raise PayloadError("its device has too many entities")
        if self._group_of.get(member.key, key) != key:
            self.drop(member.key)
        group = self._groups.setdefault(key, Group(key, info))
        old = group.members.get(member.key)
        if old is not None:
            self._by_stable_id.pop(old.stable_id, None)
        group.info = info if info.identifiers else group.info
        group.members[member.key] = member
        self._group_of[member.key] = key
        self._by_stable_id[member.stable_id] = member.key
        for identifier in info.identifiers:
            if self._by_identifier.setdefault(identifier, key) == key:
                group.identifiers.add(identifier)
        self._touched[key] = None

    def drop(self, key: str) -> None:
        """Let an entity go; nothing when there is none."""
        group_key = self._group_of.pop(key, "")
        group = self._groups.get(group_key)
        if group is None:
            return
        self._by_stable_id.pop(group.members.pop(key).stable_id, None)
        self._device_of.pop(key, None)
        self._touched[group_key] = None

    def touch(self, identity: str) -> None:
        """Have the groups that are known by `identity` looked at again."""
        known = (g.key for g in self._groups.values() if identity in g.info.identity)
        self._touched.update(dict.fromkeys(known))

    def changes(self, friendly: dict[str, str]) -> list[Change]:
        """What came of all that was put and dropped since the last time.

        `friendly` are other names, by identity.
        """
        touched, self._touched = self._touched, {}
        return [self._change(self._groups[key], friendly) for key in touched]

    def _change(self, group: Group, friendly: dict[str, str]) -> Change:
        name = next((friendly[i] for i in sorted(group.info.identity) if i in friendly), "")
        found = {logical.id: logical for logical in logicals(group, name)}
        own = {i: logical for i, logical in found.items() if self._is_free(i, group)}
        gone = group.device_ids - own.keys()
        for device_id in gone:
            del self._devices[device_id]
        fresh = [each for each in own.values() if self._is_news(each)]
        self._devices.update(own)
        group.device_ids = frozenset(own)
        for logical in own.values():
            self._device_of.update(dict.fromkeys((m.key for m in logical.members), logical.id))
        if not group.members:
            self._forget(group)
        return Change(sorted(gone), fresh, len(found) - len(own))

    def _is_free(self, device_id: str, group: Group) -> bool:
        return device_id in group.device_ids or device_id not in self._devices

    def _is_news(self, logical: Logical) -> bool:
        known = self._devices.get(logical.id)
        return known is None or known.announced != logical.announced

    def _forget(self, group: Group) -> None:
        del self._groups[group.key]
        for identifier in group.identifiers:
            del self._by_identifier[identifier]

    def _key_for(self, member: Member, info: DeviceInfo) -> str:
        """The group of any of its identifiers, else a new one by the first."""
        if not info.identifiers:
            return member.key
        known = (self._by_identifier.get(each) for each in info.identifiers)
        return next((key for key in known if key), info.identifiers[0])
