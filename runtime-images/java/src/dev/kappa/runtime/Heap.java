package dev.kappa.runtime;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import javax.management.NotificationEmitter;

/**
 * Keeps the heap below the function's memory. The largest heap is fixed when the JVM starts, before the function is known, at what the
 * largest function may have: without this the JVM would take ever more memory where a collection would do.
 */
final class Heap {
    /** Part of the function's memory that old objects may fill before they are collected. */
    private static final double PART = 0.6;

    private Heap() {}

    /** @param memoryMiB of the function */
    static void collectBelow(int memoryMiB) {
        long threshold = (long) (memoryMiB * 1048576L * PART);
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            if (pool.getType() == MemoryType.HEAP && pool.isUsageThresholdSupported()) pool.setUsageThreshold(threshold);
        }
        NotificationEmitter memory = (NotificationEmitter) ManagementFactory.getMemoryMXBean();
        memory.addNotificationListener((event, handback) -> System.gc(), null, null);
    }
}
