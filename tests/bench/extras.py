# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured beside the packet rate."""
