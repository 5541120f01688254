#!/usr/bin/env python3
"""Makes a recorded host that never was, for lib/io/host.h: make.py FOLDER [--vfs N].

What is there to see (0000: is left out):

  00:01.0            a bridge
  04:00.0            a crypto device with SR-IOV (Intel QAT), no VFs
  05:00.0 05:01.0    two crypto devices without (Cavium Nitrox): one on vfio-pci and held by process 4242, one free
  06:00.0            Mellanox mlx5, eth6, with VFs 06:00.2 and 06:00.3; its driver tells nothing of
                     the first one's trust and spoof check, and calls the port "p0" as another does; a default route by a
                     group of nexthops goes there
  07:00.0 07:00.1    Intel I350, eth0 "NIC1" and eth1 below bond0; bond0.20 has the default route and the login
  10:00.0 10:00.1    Intel 82599, eth4 (in br0, also ens1f0 and enp16s0f0) and eth5, with N VFs each (63); of eth4's,
                     :0 is under ixgbevf as eth10 and up, :1 on vfio-pci and held by process 812, :2 in another network namespace, the others without a driver
  11:00.0            a virtio card, eth9
  12:00.0            Intel X710, eth12: its record is without sysfs's word on its VFs, which are known by the capability alone
"""
import argparse
import os
import struct

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('folder')
parser.add_argument('--vfs', type=int, default=63)
args = parser.parse_args()

ROOT = args.folder
BUS = 'sys/bus/pci/devices'
TREE = 'sys/devices/pci0000:00'
dump = []


def write(path, data):
    path = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out:
        out.write(data if isinstance(data, bytes) else (str(data) + '\n').encode())


def link(path, target):
    """To another path below the root."""
    path = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(os.path.relpath(os.path.join(ROOT, target), os.path.dirname(path)), path)


def folder(path):
    os.makedirs(os.path.join(ROOT, path), exist_ok=True)


# ---- PCI ----------------------------------------------------------------------------------------------------------------

def text(addr):
    return '%04x:%02x:%02x.%x' % (addr >> 16, addr >> 8 & 255, addr >> 3 & 31, addr & 7)


def number(name):
    bus, rest = name.split(':')
    slot, func = rest.split('.')
    return int(bus, 16) << 8 | int(slot, 16) << 3 | int(func, 16)


def config(ids, class_code, rev, sub, sriov, is_vf):
    """The first 64 bytes, a PCI Express capability, and (sriov: total, num, offset, stride, device) that of SR-IOV."""
    space = bytearray(0x200)
    vendor, device = (0xffff, 0xffff) if is_vf else ids
    struct.pack_into('<HHHHI', space, 0, vendor, device, 0x0406, 0x0010, class_code << 8 | rev)
    if class_code >> 8 == 0x0604:
        space[0x0e] = 1
    else:
        struct.pack_into('<HH', space, 0x2c, *sub)
    space[0x34] = 0x40
    struct.pack_into('<BBH', space, 0x40, 0x10, 0, 0x0002)
    if sriov:
        total, num, offset, stride, vf_device = sriov
        struct.pack_into('<I', space, 0x100, 0x0001 | 1 << 16 | 0x160 << 20)
        struct.pack_into('<I', space, 0x160, 0x0010 | 1 << 16)
        struct.pack_into('<HHHHHHHHHH', space, 0x160 + 8, 0x9 if num else 0, 0, total, total, num, 0, offset, stride, 0, vf_device)
    return space if not is_vf else space[:0x100]


def function(name, ids, class_code=0x020000, rev=1, sub=(0, 0), driver='', override='', group=-1, numa=0, sriov=None, pf=None,
             index=0, label='', record=True):
    addr = number(name)
    space = config(ids, class_code, rev, sub, sriov, pf is not None)
    dump.append((addr, '%02x:%02x.%x %04x: %04x:%04x (rev %02x)\n' % (addr >> 8, addr >> 3 & 31, addr & 7, class_code >> 8, *ids, rev) +
                 ''.join('%02x: %s\n' % (at, space[at:at + 16].hex(' ')) for at in range(0, len(space), 16))))
    at = f'{TREE}/{text(addr)}'
    if not record:
        return at
    link(f'{BUS}/{text(addr)}', at)
    for attribute, value in (('vendor', ids[0]), ('device', ids[1]), ('subsystem_vendor', sub[0]), ('subsystem_device', sub[1])):
        write(f'{at}/{attribute}', '0x%04x' % value)
    write(f'{at}/class', '0x%06x' % class_code)
    write(f'{at}/revision', '0x%02x' % rev)
    write(f'{at}/numa_node', numa)
    write(f'{at}/driver_override', override or '(null)')
    write(f'{at}/reset_method', 'flr')
    if label:
        write(f'{at}/label', label)
    if driver:
        link(f'{at}/driver', f'sys/bus/pci/drivers/{driver}')
    if group >= 0:
        link(f'{at}/iommu_group', f'sys/kernel/iommu_groups/{group}')
        write(f'sys/kernel/iommu_groups/{group}/type', 'DMA')
    if sriov:
        write(f'{at}/sriov_totalvfs', sriov[0])
        write(f'{at}/sriov_numvfs', sriov[1])
        write(f'{at}/sriov_drivers_autoprobe', 0)
    if pf is not None:
        link(f'{at}/physfn', f'{TREE}/{text(pf)}')
        link(f'{TREE}/{text(pf)}/virtfn{index}', at)
    return at


# ---- rtnetlink ----------------------------------------------------------------------------------------------------------

RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEXTHOP, NLMSG_DONE = 16, 20, 24, 104, 3
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER, IFLA_LINKINFO, IFLA_VFINFO_LIST, IFLA_PARENT = 1, 3, 4, 5, 10, 18, 22, 56
IFLA_PROP_LIST, IFLA_ALT_IFNAME = 52, 53
NESTED = 0x8000
UP, RUNNING = 0x1003, 0x11043
links, addrs, routes = [], [], []


def attr(kind, data):
    if isinstance(data, str):
        data = data.encode() + b'\0'
    elif isinstance(data, int):
        data = struct.pack('=I', data)
    elif isinstance(data, list):
        kind, data = kind | NESTED, b''.join(data)
    return struct.pack('=HH', 4 + len(data), kind) + data + bytes(-len(data) % 4)


def message(kind, payload):
    return struct.pack('=IHHII', 16 + len(payload), kind, 2, 1, 0) + payload


def mac(value):
    return bytes.fromhex(value.replace(':', ''))


def vf(index, address='00:00:00:00:00:00', vlan=0, qos=0, proto=0x8100, rate=(0, 0), spoofchk=1, trust=0, state=0):
    return attr(1, [
        attr(1, struct.pack('=I32s', index, mac(address))), attr(13, bytes(32)), attr(2, struct.pack('=III', index, vlan, qos)),
        attr(6, struct.pack('=III', index, *rate)), attr(3, struct.pack('=II', index, rate[1])),
        attr(4, struct.pack('=II', index, spoofchk)), attr(5, struct.pack('=II', index, state)),
        attr(7, struct.pack('=II', index, 0xffffffff)), attr(9, struct.pack('=II', index, trust)),
        attr(12, [attr(1, struct.pack('=III', index, vlan, qos) + struct.pack('>H', proto) + bytes(2))]),
    ])


def interface(index, name, address, flags=RUNNING, mtu=1500, lower=0, master=0, kind='', parent='', vfs=(), alt=()):
    links.append(message(RTM_NEWLINK, struct.pack('=BxHiII', 0, 772 if name == 'lo' else 1, index, flags | (8 if name == 'lo' else 0), 0) +
                         attr(IFLA_IFNAME, name) + attr(IFLA_MTU, mtu) + (attr(IFLA_LINK, lower) if lower else b'') +
                         (attr(IFLA_MASTER, master) if master else b'') + attr(IFLA_ADDRESS, mac(address)) +
                         (attr(IFLA_LINKINFO, [attr(1, kind)]) if kind else b'') +
                         (attr(IFLA_VFINFO_LIST, list(vfs)) if vfs else b'') +
                         (attr(IFLA_PROP_LIST, [attr(IFLA_ALT_IFNAME, name) for name in alt]) if alt else b'') + (attr(IFLA_PARENT, parent) if parent else b'')))


def ip(value):
    return bytes(int(part) for part in value.split('.'))


def address(index, value, length, family=2):
    data = ip(value) if family == 2 else bytes.fromhex(value)
    addrs.append(message(RTM_NEWADDR, struct.pack('=BBBBI', family, length, 0, 0, index) + attr(1, data) +
                         (attr(2, data) if family == 2 else b'')))


def nexthop(number, index=0, group=()):
    """Among the routes, before those that name it."""
    members = b''.join(struct.pack('=IBBH', member, 0, 0, 0) for member in group)
    routes.append(message(RTM_NEWNEXTHOP, struct.pack('=BBBBI', 2, 0, 3, 0, 0) + attr(1, struct.pack('=I', number)) +
                          (attr(2, members) if group else attr(5, index))))


def route(index, to='', length=0, ways=(), hop=0):
    """ways: interfaces of a multipath route; hop: the number of a nexthop, and nothing else."""
    hops = b''.join(struct.pack('=HBBi', 16, 0, 0, way) + attr(5, ip('203.0.113.1')) for way in ways)
    routes.append(message(RTM_NEWROUTE, struct.pack('=BBBBBBBBI', 2, length, 0, 0, 254, 3, 0, 1, 0) + (attr(1, ip(to)) if to else b'') +
                          (attr(30, struct.pack('=I', hop)) if hop else attr(9, hops) if ways else attr(4, index))))


def carries(at, name, index, speed=None, virtio=''):
    """A function has an interface."""
    net = f'{at}/{virtio}/net/{name}' if virtio else f'{at}/net/{name}'
    write(f'{net}/ifindex', index)
    if speed:
        write(f'{net}/speed', speed)
        write(f'{net}/duplex', 'full')
    link(f'sys/class/net/{name}', net)
    return virtio or os.path.basename(at)


# ---- the host -------------------------------------------------------------------------------------------------------------

def vfs_of(pf, device, offset, stride, n, group, numa, driven=()):
    made = {}
    for i in range(n):
        addr = number(pf) + offset + i * stride
        driver, override = dict(driven).get(i, ('', ''))
        made[i] = function(text(addr)[5:], device, 0x020000, 1, (0x8086, 3), driver, override, group + i, numa, pf=number(pf), index=i)
    return made


function('00:01.0', (0x8086, 0x3c02), 0x060400, 7, driver='pcieport', group=1)
function('04:00.0', (0x8086, 0x37c8), 0x0b4000, 4, driver='c6xx', group=40, sriov=(16, 0, 8, 1, 0x37c9))
function('05:00.0', (0x177d, 0x0010), 0x100000, 1, driver='vfio-pci', override='vfio-pci', group=50)
function('05:01.0', (0x177d, 0x0010), 0x100000, 1, group=51)

interface(1, 'lo', '00:00:00:00:00:00', mtu=65536)
at = function('06:00.0', (0x15b3, 0x1017), 0x020000, 0, (0x15b3, 0x0020), 'mlx5_core', group=60, sriov=(8, 2, 2, 1, 0x1018))
vfs_of('06:00.0', (0x15b3, 0x1018), 2, 1, 2, 61, 0)
interface(6, 'eth6', 'b8:59:9f:00:00:06', parent=carries(at, 'eth6', 6, 100000),
          vfs=[vf(0, 'b8:59:9f:00:01:00', spoofchk=0xffffffff, trust=0xffffffff), vf(1, state=2)])
write(f'{at}/net/eth6/phys_port_name', 'p0')

for n in 0, 1:
    at = function(f'07:00.{n}', (0x8086, 0x1521), 0x020000, 1, (0x8086, 1), 'igb', group=70 + n, sriov=(7, 0, 0x180, 4, 0x1520),
                  label=('NIC1', '')[n])
    interface(2 + n, f'eth{n}', f'ac:1f:6b:00:00:0{n}', master=20, parent=carries(at, f'eth{n}', 2 + n, 1000))
interface(20, 'bond0', 'ac:1f:6b:00:00:00', kind='bond')
interface(21, 'bond0.20', 'ac:1f:6b:00:00:00', lower=20, kind='vlan')
address(1, '127.0.0.1', 8)
address(21, '192.0.2.10', 24)
address(21, 'fe80000000000000ae1f6bfffe000000', 64, 10)
route(21)
nexthop(7, 6)
nexthop(8, group=(7,))
route(0, hop=8)
route(21, '192.0.2.0', 24)

for n in 0, 1:
    pf = f'10:00.{n}'
    at = function(pf, (0x8086, 0x10fb), 0x020000, 1, (0x8086, 3), 'ixgbe', group=80 + n, numa=1, sriov=(63, args.vfs, 0x80, 2, 0x10ed))
    driven = ((0, ('ixgbevf', '')), (1, ('vfio-pci', 'vfio-pci')), (2, ('ixgbevf', ''))) if n == 0 else ()
    made = vfs_of(pf, (0x8086, 0x10ed), 0x80, 2, args.vfs, 100 + 64 * n, 1, driven)
    told = [vf(i) for i in range(args.vfs)]
    if n == 0 and args.vfs > 3:
        told[0] = vf(0, '52:54:00:00:10:00', vlan=100, qos=3)
        told[1] = vf(1, '52:54:00:00:10:01', trust=1, spoofchk=0, rate=(100, 2000))
        told[2] = vf(2, '52:54:00:00:10:02', vlan=200, proto=0x88a8, state=1)
        told[3] = vf(3, vlan=4095)
        interface(10, 'eth10', '52:54:00:00:10:00', parent=carries(made[0], 'eth10', 10, 10000))
        folder(f'{made[2]}/net')
    interface(4 + n, f'eth{4 + n}', f'00:1b:21:00:00:0{4 + n}', flags=(RUNNING, UP)[n], mtu=(9000, 1500)[n], master=(30, 0)[n],
              parent=carries(at, f'eth{4 + n}', 4 + n, (10000, None)[n]), vfs=told,
              alt=(f'ens1f{n}', f'enp16s0f{n}'))
    write(f'{at}/net/eth{4 + n}/phys_port_name', f'p{n}')
interface(30, 'br0', '00:1b:21:00:00:04', kind='bridge')

at = function('11:00.0', (0x1af4, 0x1041), 0x020000, 1, (0x1af4, 0x1100), 'virtio-pci', group=90)
interface(9, 'eth9', '52:54:00:00:00:09', flags=0x1002, parent=carries(at, 'eth9', 9, virtio='virtio3'))
address(9, '198.51.100.9', 24)

function('12:00.0', (0x8086, 0x1572), 0x020000, 2, (0x8086, 7), sriov=(64, 2, 16, 1, 0x154c), record=False)
for i in range(2):
    function('12:02.%d' % i, (0x8086, 0x154c), 0x020000, 2, (0x8086, 7), pf=0, record=False)

for pid, comm, held in (812, 'pe', '/dev/vfio/101'), (4242, 'qemu-system-x86', '/dev/vfio/50'), (1, 'init', '/dev/null'):
    write(f'proc/{pid}/comm', comm)
    for fd, target in (0, '/dev/null'), (1, 'pipe:[4711]'), (7, '/dev/vfio/vfio'), (8, held):
        folder(f'proc/{pid}/fd')
        os.symlink(target, os.path.join(ROOT, f'proc/{pid}/fd/{fd}'))

for node in 0, 1:
    write(f'sys/devices/system/node/node{node}/cpulist', f'{node * 8}-{node * 8 + 7}')
write('sys/devices/system/node/online', '0-1')
write('proc/sys/kernel/random/boot_id', '6f1c0a52-0000-4000-8000-000000000003')
write('proc/cmdline', 'intel_iommu=on iommu=pt')
write('login', '198.51.100.200 50022 192.0.2.10 22')
write('pci.dump', ('\n'.join(part for _, part in sorted(dump)) + '\n').encode())
done = message(NLMSG_DONE, struct.pack('=I', 0))
for name, parts in ('links', links), ('addrs', addrs), ('routes', routes):
    write(name, b''.join(parts) + done)
